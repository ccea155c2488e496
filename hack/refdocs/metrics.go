// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strconv"
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

// description is how a prometheus.Desc, which has no accessors, prints itself.
var description = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"),.* constLabels: \{(.*)\}, variableLabels: \{([^}]*)\}\}$`)

// constant finds the names of labels that are always the same.
var constant = regexp.MustCompile(`(\w+)="`)

// describe reads the description of a metric.
func describe(c prometheus.Collector, desc *prometheus.Desc) (metric, error) {
	text := desc.String()
	found := description.FindStringSubmatch(text)
	if found == nil {
		return metric{}, fmt.Errorf("cannot read the description of a %T: %s", c, text)
	}
	name, nameErr := strconv.Unquote(found[1])
	help, helpErr := strconv.Unquote(found[2])
	if nameErr != nil || helpErr != nil {
		return metric{}, fmt.Errorf("cannot read the description of a %T: %s", c, text)
	}
	var labels []string
	for _, label := range constant.FindAllStringSubmatch(found[3], -1) {
		labels = append(labels, label[1])
	}
	if found[4] != "" {
		labels = append(labels, strings.Split(found[4], ",")...)
	}
	return metric{Name: name, Kind: kindOf(c, name), Help: help, Labels: labels}, nil
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
