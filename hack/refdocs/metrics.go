// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/version"
)

type metricGroup struct {
	Title   string
	Metrics []metric
}

type metric struct {
	Name, Kind, Help string
	Labels           []string
}

// metrics describes the metrics, those of objects first.
func metrics() (any, error) {
	objects, err := describeAll(controller.Collectors())
	if err != nil {
		return nil, err
	}
	requests, err := describeAll(live.Collectors())
	if err != nil {
		return nil, err
	}
	build, err := describeAll(append(version.Collectors(), controller.Panics))
	return []metricGroup{{"Objects", objects}, {"Requests to the cloud", requests}, {"The operator", build}}, err
}

func describeAll(collectors []prometheus.Collector) ([]metric, error) {
	var all []metric
	for _, c := range collectors {
		descs := make(chan *prometheus.Desc)
		go func() {
			c.Describe(descs)
			close(descs)
		}()
		for desc := range descs {
			m, err := describe(c, desc)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// labels is the end of how a prometheus.Desc, which has no accessors, prints itself.
var labels = regexp.MustCompile(`constLabels: \{(.*)\}, variableLabels: \{([^}]*)\}\}$`)

// constant finds the names of labels that are always the same.
var constant = regexp.MustCompile(`(\w+)="`)

// describe reads the description of a metric.
func describe(c prometheus.Collector, desc *prometheus.Desc) (metric, error) {
	var m metric
	text := desc.String()
	found := labels.FindStringSubmatch(text)
	if _, err := fmt.Sscanf(text, "Desc{fqName: %q, help: %q,", &m.Name, &m.Help); err != nil || found == nil {
		return m, fmt.Errorf("cannot read the description of a %T: %s", c, text)
	}
	for _, label := range constant.FindAllStringSubmatch(found[1], -1) {
		m.Labels = append(m.Labels, label[1])
	}
	if found[2] != "" {
		m.Labels = append(m.Labels, strings.Split(found[2], ",")...)
	}
	m.Kind = kindOf(c, m.Name)
	return m, nil
}

// kindOf returns the kind of a metric. A collector that is no vector has no
// histograms, and its counters are those whose name says so.
func kindOf(c prometheus.Collector, name string) string {
	switch c.(type) {
	case *prometheus.HistogramVec:
		return "histogram"
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	}
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "gauge"
}
