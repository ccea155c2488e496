// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"
)

// Results of a callback.
const (
	ResultSuccess = "success"
	ResultFailed  = "failed"
)

// Where a recording is stored.
const (
	storageOSS = "oss"
	storageVOD = "vod"
	storageAll = "all"
)

// CallbackRecord is the cloud's record of one callback of a domain, and of what became of it in the end.
type CallbackRecord struct {
	Time        time.Time `json:"time,omitzero"`
	Domain      string    `json:"domain"`
	App         string    `json:"app,omitempty"`
	Stream      string    `json:"stream,omitempty"`
	Type        string    `json:"type,omitempty"` // publish, publish_done, file_created, ...
	URL         string    `json:"url,omitempty"`
	Content     string    `json:"content,omitempty"` // JSON
	Result      string    `json:"result,omitempty"`  // ResultSuccess or ResultFailed
	Description string    `json:"description,omitempty"`
	Response    string    `json:"response,omitempty"` // body of the receiver's answer
	Header      string    `json:"header,omitempty"`   // request headers, one per line
	Storage     string    `json:"storage,omitempty"`  // oss or vod; recordings only
}

// MPURecord is the cloud's record of one delivery of a relay event.
type MPURecord struct {
	Time        time.Time     `json:"time,omitzero"`
	AppID       string        `json:"appID"`
	SubID       string        `json:"subID,omitempty"`
	MsgID       string        `json:"msgID,omitempty"`
	Data        string        `json:"data,omitempty"` // JSON
	CallbackURL string        `json:"callbackURL,omitempty"`
	HTTPCode    int           `json:"httpCode,omitempty"`
	Cost        time.Duration `json:"cost,omitempty"` // in JSON: nanoseconds
}

// NoAnswer is the HTTPCode of a relay event that the receiver did not answer. The cloud's own is undocumented.
const NoAnswer = -1

// Records are callback records of all families.
type Records struct {
	Stream []CallbackRecord `json:"stream,omitempty"`
	Record []CallbackRecord `json:"record,omitempty"`
	MPU    []MPURecord      `json:"mpu,omitempty"`
	Event  []EventRecord    `json:"event,omitempty"`
}

// AddRecords plants records as if callbacks had been delivered, which is cheap also for a million of them. Where empty,
// Time becomes now, Result success, Description the same as Result, Storage oss, HTTPCode
// 200, MsgID a new id, SubID and CallbackURL those of the application's subscription, the first one if it has several.
func (s *Server) AddRecords(r Records) {
	now := s.now()
	s.streamRecords.add(now, completed(r.Stream, now, ""))
	s.recordRecords.add(now, completed(r.Record, now, storageOSS))
	s.mpuRecords.add(now, s.completedMPU(r.MPU, now))
	s.eventRecords.add(now, s.completedEvents(r.Event, now))
}

func completed(list []CallbackRecord, now time.Time, storage string) []CallbackRecord {
	list = slices.Clone(list)
	for i := range list {
		c := &list[i]
		if c.Time.IsZero() {
			c.Time = now
		}
		setIfEmpty(&c.Result, ResultSuccess)
		setIfEmpty(&c.Description, c.Result)
		setIfEmpty(&c.Storage, storage)
	}
	return list
}

func (s *Server) completedMPU(list []MPURecord, now time.Time) []MPURecord {
	list = slices.Clone(list)
	var sub MPUSub
	for i := range list {
		m := &list[i]
		if m.Time.IsZero() {
			m.Time = now
		}
		if m.MsgID == "" {
			m.MsgID = newUUID()
		}
		if m.HTTPCode == 0 {
			m.HTTPCode = http.StatusOK
		}
		if i == 0 || m.AppID != list[i-1].AppID {
			sub, _ = s.mpuSubs.current(m.AppID)
		}
		setIfEmpty(&m.SubID, sub.SubID)
		setIfEmpty(&m.CallbackURL, sub.CallbackURL)
	}
	return list
}

func setIfEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// fields is the record as the families keyed by a domain show it.
func (c CallbackRecord) fields() fields {
	return fields{
		"DomainName":     c.Domain,
		"AppName":        c.App,
		"StreamName":     c.Stream,
		"NotifyType":     c.Type,
		"NotifyTime":     c.Time.UTC().Format(timeFormat),
		"NotifyUrl":      c.URL,
		"NotifyContent":  c.Content,
		"NotifyResult":   c.Result,
		"Description":    c.Description,
		"NotifyResponse": c.Response,
		"NotifyHeader":   c.Header,
	}
}

// recorded is what records can hold: something that happened at a time, to a domain or an application.
type recorded interface {
	key() string
	when() time.Time
}

func (c CallbackRecord) key() string     { return c.Domain }
func (c CallbackRecord) when() time.Time { return c.Time }
func (m MPURecord) key() string          { return m.AppID }
func (m MPURecord) when() time.Time      { return m.Time }

// records keeps records by key, sorted by time, as far back as the retention goes. The zero value is empty.
type records[R recorded] struct {
	mu    sync.Mutex
	byKey map[string][]R
}

// add merges records into those of their key. It keeps the list.
func (r *records[R]) add(now time.Time, list []R) {
	byKeyAndTime := func(a, b R) int { return cmp.Or(cmp.Compare(a.key(), b.key()), a.when().Compare(b.when())) }
	if !slices.IsSortedFunc(list, byKeyAndTime) {
		slices.SortStableFunc(list, byKeyAndTime)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey == nil {
		r.byKey = make(map[string][]R)
	}
	for len(list) > 0 {
		key := list[0].key()
		end := sort.Search(len(list), func(i int) bool { return list[i].key() > key })
		r.byKey[key] = merge(prune(r.byKey[key], now), list[:end:end])
		list = list[end:]
	}
}

// merge returns two sorted lists as one. It touches only what is later than the start of the batch: mostly nothing,
// since records come in about the order of their time.
func merge[R recorded](list, batch []R) []R {
	if len(list) == 0 {
		return batch
	}
	cut := sort.Search(len(list), func(i int) bool { return list[i].when().After(batch[0].when()) })
	tail := slices.Clone(list[cut:])
	list = list[:cut]
	for len(tail) > 0 && len(batch) > 0 {
		if batch[0].when().Before(tail[0].when()) {
			list, batch = append(list, batch[0]), batch[1:]
		} else {
			list, tail = append(list, tail[0]), tail[1:]
		}
	}
	return append(append(list, tail...), batch...)
}

// prune drops records older than the retention.
func prune[R recorded](list []R, now time.Time) []R {
	cut := atOrAfter(list, now.Add(-retention))
	clear(list[:cut]) // or their strings would live as long as the slice
	return list[cut:]
}

// atOrAfter returns the index of the first record at or after a time.
func atOrAfter[R recorded](list []R, t time.Time) int {
	return sort.Search(len(list), func(i int) bool { return !list[i].when().Before(t) })
}

// query asks for one page of the records in a span of time. The order, and that the span includes its start and not its
// end, are undocumented.
type query[R recorded] struct {
	from, to, now time.Time
	match         func(*R) bool // nil means all
	size, number  int
	order         string // a value of Switches.RecordsOrder
}

// page returns the records of one page, and how many records there are on all pages.
func (r *records[R]) page(key string, q query[R]) (items []R, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := prune(r.byKey[key], q.now)
	if r.byKey[key] != nil {
		r.byKey[key] = list
	}
	list = list[atOrAfter(list, q.from):]
	list = list[:atOrAfter(list, q.to)]
	if q.order == OrderShuffled {
		return q.window(shuffled(q.matching(list)))
	}
	if q.match == nil { // no need to look at each
		return q.window(list)
	}
	skip := (q.number - 1) * q.size
	for i := range list {
		r := &list[q.position(i, len(list))]
		if !q.match(r) {
			continue
		}
		if total >= skip && len(items) < q.size {
			items = append(items, *r)
		}
		total++
	}
	return items, total
}

// position is where the i-th record of an answer stands in a list of n that is sorted by time.
func (q query[R]) position(i, n int) int {
	if q.order == OrderOldest {
		return i
	}
	return n - 1 - i
}

// window returns one page of a list in which all records match.
func (q query[R]) window(list []R) (items []R, total int) {
	skip := (q.number - 1) * q.size
	for i := skip; i < min(skip+q.size, len(list)); i++ {
		items = append(items, list[q.position(i, len(list))])
	}
	return items, len(list)
}

// matching returns the records that the query asks for. It keeps the list.
func (q query[R]) matching(list []R) []R {
	var found []R
	for i := range list {
		if q.match == nil || q.match(&list[i]) {
			found = append(found, list[i])
		}
	}
	return found
}

// shuffled returns the records ordered by a hash of their content, so that two pages of the same query fit together. It
// keeps the list.
func shuffled[R recorded](list []R) []R {
	type hashed struct {
		hash  uint64
		index int
	}
	order := make([]hashed, len(list))
	for i := range list {
		h := fnv.New64a()
		fmt.Fprint(h, list[i])
		order[i] = hashed{h.Sum64(), i}
	}
	slices.SortFunc(order, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.index, b.index)) })
	out := make([]R, len(list))
	for i, o := range order {
		out[i] = list[o.index]
	}
	return out
}

// forget drops the records of one key.
func (r *records[R]) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byKey, key)
}

func (r *records[R]) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKey = nil
}
