// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// State is what the journal knows of a callback and a receiver.
type State string

// States.
const (
	// Fresh: nothing was sent.
	Fresh State = ""
	// Sending is noted before a request. If it is the last that is noted, the
	// callback is in doubt.
	Sending State = "sending"
	// Taken: the receiver took it.
	Taken State = "taken"
	// Refused: the receiver said no, or nothing reached it. It may be sent again.
	Refused State = "refused"
	// Doubt: it was sent, and no answer came.
	Doubt State = "doubt"
)

// entry is one line of a journal.
type entry struct {
	Delivery string    `json:"delivery"`
	To       string    `json:"to"`
	State    State     `json:"state"`
	Status   int       `json:"status,omitempty"`
	Time     time.Time `json:"time"`
}

type target struct{ delivery, to string }

// Journal is a file that remembers what was delivered. One program at a time has
// it.
type Journal struct {
	file   *os.File
	states map[target]State
	now    func() time.Time
}

// ErrLocked tells that another program has the journal.
var ErrLocked = errors.New("another replay uses this journal: wait for its end, or name another one with --journal")

// Open opens a journal, or makes a new one. A last line that was torn by a crash is
// dropped: what it would have noted was not sent, since it was not noted.
func Open(path string, now func() time.Time) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, errors.New("the directory of the journal cannot be made")
	}
	// A pipe or a device never ends, and remembers nothing.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("the journal is no file: name another one with --journal")
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.New("the journal cannot be opened")
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(ErrLocked, file.Close())
	}
	j := &Journal{file: file, states: map[target]State{}, now: now}
	if err := j.load(path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// load reads the journal, and makes its name as lasting as its lines.
func (j *Journal) load(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return errors.New("the journal cannot be read")
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for n, line := range bytes.Split(text[:whole], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil || e.Delivery == "" || e.To == "" || e.State == Fresh {
			return fmt.Errorf("line %d of the journal is none of a journal: name another file with --journal", n+1)
		}
		j.states[target{e.Delivery, e.To}] = e.State
	}
	if !torn(text[whole:]) {
		return errors.New("the journal does not end as one: name another file with --journal")
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return errors.New("the journal cannot be written")
	}
	if _, err := j.file.Seek(int64(whole), 0); err != nil {
		return errors.New("the journal cannot be written")
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // not every system can
		_ = dir.Close()
	}
	return nil
}

// beginning is how each line begins.
const beginning = `{"delivery":"`

// torn tells whether what follows the last line is part of a line, or nothing. A
// file that is something else must not be cut. A crash of the system can leave
// zeros.
func torn(tail []byte) bool {
	tail = bytes.TrimRight(tail, "\x00")
	n := min(len(tail), len(beginning))
	return string(tail[:n]) == beginning[:n]
}

// State returns what is known of a callback and a receiver.
func (j *Journal) State(delivery, to string) State {
	s := j.states[target{delivery, to}]
	if s == Sending {
		return Doubt
	}
	return s
}

// Note notes a state, and returns when it is on the disk.
func (j *Journal) Note(delivery, to string, s State, status int) error {
	line, err := json.Marshal(entry{delivery, to, s, status, j.now().UTC()})
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return errors.New("the journal cannot be written: nothing more is sent")
	}
	if err := j.file.Sync(); err != nil {
		return errors.New("the journal cannot be written: nothing more is sent")
	}
	j.states[target{delivery, to}] = s
	return nil
}

// Close closes the journal.
func (j *Journal) Close() error { return j.file.Close() }
