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
	build, err := describeAll(version.Collectors())
	return []metricGroup{{"Objects", objects}, {"Requests to the cloud", requests}, {"The operator", build}}, err
}

func describeAll(collectors []prometheus.Collector) ([]metric, error) {
	var all []metric
	for _, c := range collectors {
		m, err := describe(c)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// description is how a prometheus.Desc, which has no accessors, prints itself.
var description = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"),.* variableLabels: \{([^}]*)\}\}$`)

// describe reads the description of a collector of one metric.
func describe(c prometheus.Collector) (metric, error) {
	kinds := map[string]string{"*prometheus.CounterVec": "counter", "*prometheus.GaugeVec": "gauge", "*prometheus.HistogramVec": "histogram"}
	descs := make(chan *prometheus.Desc, 1)
	c.Describe(descs)
	text := (<-descs).String()
	found := description.FindStringSubmatch(text)
	kind := kinds[fmt.Sprintf("%T", c)]
	if found == nil || kind == "" {
		return metric{}, fmt.Errorf("cannot read the description of a %T: %s", c, text)
	}
	name, nameErr := strconv.Unquote(found[1])
	help, helpErr := strconv.Unquote(found[2])
	if nameErr != nil || helpErr != nil {
		return metric{}, fmt.Errorf("cannot read the description of a %T: %s", c, text)
	}
	return metric{Name: name, Kind: kind, Help: help, Labels: strings.Split(found[3], ",")}, nil
}
