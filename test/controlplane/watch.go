// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// progressInterval is the longest silence of a build.
const progressInterval = 10 * time.Second

// tailLines is how much of go's output a failed build shows.
const tailLines = 200

// watch takes the output of go and says now and then how far it got.
type watch struct {
	log   io.Writer
	name  string
	start time.Time
	done  chan struct{}
	ended sync.WaitGroup
	once  sync.Once

	mu         sync.Mutex
	rest       []byte   // an unfinished line
	lines      []string // the last lines that are not progress
	downloaded int
	compiled   int
	total      int // 0 while packages are being resolved
}

func newWatch(log io.Writer, name string) *watch {
	w := &watch{log: log, name: name, start: time.Now(), done: make(chan struct{})}
	w.ended.Go(func() {
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintln(w.log, w.status())
			case <-w.done:
				return
			}
		}
	})
	return w
}

// stop ends the reports. It may be called more than once.
func (w *watch) stop() {
	w.once.Do(func() { close(w.done) })
	w.ended.Wait()
}

// expect says how many packages the program has.
func (w *watch) expect(packages int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total = packages
}

// Write counts go's lines of progress and keeps the others.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.rest = rest
		w.take(string(line))
	}
}

func (w *watch) take(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		w.downloaded++
	case w.total > 0 && line != "" && !strings.ContainsAny(line, " \t:#"): // a package path, from -v
		w.compiled++
	default:
		w.lines = append(w.lines, line)
		if len(w.lines) > tailLines {
			w.lines = w.lines[1:]
		}
	}
}

// status is one line on how far the build is. Packages that Go's build cache
// has are never reported by go, hence "of up to".
func (w *watch) status() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := fmt.Sprintf("controlplane: %s: %s", w.name, since(w.start))
	if w.total > 0 {
		s += fmt.Sprintf(", %d of up to %d packages compiled", w.compiled, w.total)
	}
	if w.downloaded > 0 {
		s += fmt.Sprintf(", %d modules downloaded", w.downloaded)
	}
	return s
}

// output returns the last lines that go wrote, its progress left out.
func (w *watch) output() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		return append(slices.Clip(w.lines), string(w.rest))
	}
	return w.lines
}
