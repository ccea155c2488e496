// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package replay_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/replay"
)

// Of the process that is killed.
const (
	envJournal  = "REPLAY_TEST_JOURNAL"
	envReceiver = "REPLAY_TEST_RECEIVER"
	callbacks   = 300
)

func TestMain(m *testing.M) {
	if os.Getenv(envJournal) != "" {
		os.Exit(deliver(os.Getenv(envJournal), os.Getenv(envReceiver)))
	}
	os.Exit(m.Run())
}

// candidates are callbacks that failed.
func candidates() []replay.Candidate {
	k := kind.All[0]
	s := planning.Subject{Kind: k, Object: k.New()}
	c := replay.Candidate{Subject: s}
	for i := range callbacks {
		c.Failed = append(c.Failed, failures.Item{
			Time: time.Unix(int64(1_700_000_000+i), 0), Kind: k.Name, Key: "push.example.com", Type: "publish_done",
			Delivery: fmt.Sprintf("delivery-%03d", i), Content: fmt.Sprintf(`{"action":"publish_done","id":"s%d"}`, i),
		})
	}
	return []replay.Candidate{c}
}

// deliver is one run; it ends with 1 when something is in doubt.
func deliver(journal, receiver string) int {
	j, err := replay.Open(journal, time.Now)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	items := replay.Select(candidates(), j.State, replay.Options{ToURL: receiver})
	runner := replay.Runner{
		Journal: func(replay.Item) *replay.Journal { return j }, Sender: callback.NewSender(nil), Now: time.Now,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	if err := runner.Run(context.Background(), items); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if s := replay.Sum(items); s.Pending+s.Refused > 0 {
		return 3
	}
	return 0
}

// log counts deliveries in the order of their first.
type log struct {
	mu    sync.Mutex
	count map[string]int
	order []string
}

func (l *log) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	l.add(r.Header.Get(replay.DeliveryHeader))
}

func (l *log) add(delivery string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count[delivery]++; l.count[delivery] == 1 {
		l.order = append(l.order, delivery)
	}
}

// Killed at any point and run again, the receiver has nothing twice, and whatever it
// does not have is in doubt and told.
func TestKilledAtAnyPoint(t *testing.T) {
	kills := 20
	if os.Getenv("LONG") != "" {
		kills = 200
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var journal string
	var got *log
	var srv *httptest.Server
	begin := func() {
		journal, got = filepath.Join(t.TempDir(), "journal.jsonl"), &log{count: map[string]int{}}
		srv = httptest.NewServer(got)
	}
	finish := func() {
		j, err := replay.Open(journal, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		for _, i := range candidates()[0].Failed {
			state := j.State(i.Delivery, srv.URL)
			switch n := got.count[i.Delivery]; {
			case n > 1:
				t.Errorf("%s was delivered %d times", i.Delivery, n)
			case n == 0 && state != replay.Doubt:
				t.Errorf("%s is lost: the journal says %q", i.Delivery, state)
			case n == 1 && state != replay.Taken && state != replay.Doubt:
				t.Errorf("%s was taken, and the journal says %q", i.Delivery, state)
			}
		}
		for i := 1; i < len(got.order); i++ {
			if got.order[i] < got.order[i-1] {
				t.Errorf("%s came after %s", got.order[i], got.order[i-1])
			}
		}
		srv.Close()
	}
	begin()
	for killed := 0; killed < kills; {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
		cmd.Env = append(os.Environ(), envJournal+"="+journal, envReceiver+"="+srv.URL)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rand.Int64N(int64(150*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		switch {
		case err == nil: // all was delivered: start over
			finish()
			begin()
		case cmd.ProcessState.ExitCode() >= 0:
			t.Fatalf("a run ended with %v", err)
		default:
			killed++
		}
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), envJournal+"="+journal, envReceiver+"="+srv.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the last run: %v\n%s", err, out)
	}
	finish()
}

// A last line that was torn is one that was not written.
func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := replay.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Note("a", "to", replay.Taken, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Open(path, time.Now); err == nil {
		t.Error("two programs have one journal")
	}
	_ = j.Close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"delivery":"b","to":"to","sta`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	for range 2 { // what follows a torn line can be read, too
		if j, err = replay.Open(path, time.Now); err != nil {
			t.Fatal(err)
		}
		if err := j.Note("c", "to", replay.Sending, 0); err != nil {
			t.Fatal(err)
		}
		if a, b, c := j.State("a", "to"), j.State("b", "to"), j.State("c", "to"); a != replay.Taken || b != replay.Fresh || c != replay.Doubt {
			t.Errorf("got %q, %q, %q", a, b, c)
		}
		_ = j.Close()
	}
}

// A file that is no journal is refused, and left as it is.
func TestOtherFilesAreLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"no line":              "all my work",
		"lines":                "all\nmy\nwork\n",
		"failures":             `{"delivery":"a","kind":"LiveNotifyConfig"}` + "\n",
		"a journal, and notes": `{"delivery":"a","to":"b","state":"taken","time":"2026-01-02T15:04:05Z"}` + "\nnote",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err := replay.Open(path, time.Now); err == nil {
			t.Errorf("%s: it is taken for a journal", name)
			_ = j.Close()
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%s: it has %q afterwards, %v", name, after, err)
		}
	}
	for _, path := range []string{t.TempDir(), os.DevNull} {
		if _, err := replay.Open(path, time.Now); err == nil {
			t.Errorf("%s is taken for a journal", path)
		}
	}
}
