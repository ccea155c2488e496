// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is the emulated cloud. Its methods may be called from many goroutines.
type Server struct {
	opts Options
	now  func() time.Time
	log  *slog.Logger
	keys map[string]AccessKey
	// accountIDs are the numbers that the options give, by the name of the account.
	accountIDs map[string]string
	admin      http.Handler
	closing    context.Context
	close      context.CancelFunc

	mu       sync.Mutex // guards switches and online
	switches Switches
	online   map[streamID]onlineStream

	registry registry
	trust    trust
	sessions sessions
	nonces   nonces
	quotas   quotas
	faults   faults
	calls    calls
	sender   *sender

	streamConfigs configs[StreamConfig]
	recordConfigs configs[RecordConfig]
	mpuSubs       configs[MPUSub]

	snapshotConfigs configs[SnapshotConfig]
	snapshotJobs    configs[[]SnapshotJob]
	detectConfigs   configs[DetectConfig]
	auditConfigs    configs[AuditConfig]
	eventSubs       configs[[]EventSub]
	messageApps     configs[MessageApp]

	streamRecords records[CallbackRecord]
	recordRecords records[CallbackRecord]
	mpuRecords    records[MPURecord]
	eventRecords  records[EventRecord]
}

// New returns a Server that knows no domain and no application yet. Close it after use.
func New(opts Options) *Server {
	if opts.CallbackTimeout == 0 {
		opts.CallbackTimeout = 5 * time.Second
	}
	if opts.CallbackRetryInterval == 0 {
		opts.CallbackRetryInterval = time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		opts:     opts,
		now:      opts.Now,
		log:      opts.Logger,
		keys:     make(map[string]AccessKey, len(opts.AccessKeys)),
		switches: opts.Switches,
		online:   make(map[streamID]onlineStream),
		quotas:   quotas{scale: opts.QPSScale, model: opts.Throttle},
	}
	s.sender = newSender(opts.CallbackTimeout, opts.CallbackRetryInterval, opts.Now,
		func() bool { return s.Switches().FollowRedirects })
	s.closing, s.close = context.WithCancel(context.Background())
	s.accountIDs = accountIDs(opts.AccessKeys)
	s.knowAccount(defaultAccount)
	for _, key := range opts.AccessKeys {
		key.Account = orDefault(key.Account)
		key.AccountID = s.AccountID(key.Account)
		s.keys[key.ID] = key
		s.knowAccount(key.Account)
	}
	s.admin = s.adminHandler()
	return s
}

// ServeHTTP serves the cloud API at / and the admin API below /_emulator/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat)) // or it were the time of this machine
	if strings.HasPrefix(r.URL.Path, adminPrefix) {
		s.admin.ServeHTTP(w, r)
		return
	}
	s.serveCloud(w, r)
}

// Close ends all streams without a callback, abandons deliveries in flight and calls held up by a fault, and waits for
// the deliveries to be gone. The traffic methods send nothing after it.
func (s *Server) Close() {
	s.close()
	s.endStreams(anyStream)
	s.sender.close()
}

// Wait blocks until no delivery is queued or in flight.
func (s *Server) Wait() { s.sender.wait() }

// Reset forgets configurations, online streams, callback records, faults, the call log, used nonces and what counts
// against limits, and abandons deliveries in flight. Domains, their mapping, applications, access keys, roles and
// switches stay: they are how the emulator was set up, not what happened to it. So do the access keys that the token
// service issued, until they expire.
func (s *Server) Reset() {
	s.endStreams(anyStream)
	s.sender.abandon()
	s.streamConfigs.reset()
	s.recordConfigs.reset()
	s.mpuSubs.reset()
	s.snapshotConfigs.reset()
	s.snapshotJobs.reset()
	s.detectConfigs.reset()
	s.auditConfigs.reset()
	s.eventSubs.reset()
	for _, a := range s.MessageApps() {
		_ = s.SetMessageCallback(a.DataCenter, a.AppID, "") // the application itself stays
	}
	s.streamRecords.reset()
	s.recordRecords.reset()
	s.mpuRecords.reset()
	s.eventRecords.reset()
	s.nonces.reset()
	s.quotas.reset()
	s.ClearFaults()
	s.ResetCalls()
}

// SetSwitches replaces all switches. A value that Validate refuses counts as the default.
func (s *Server) SetSwitches(sw Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = sw
}

// Switches returns the switches in force.
func (s *Server) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches
}

// newUUID returns a random UUID in upper case, the form of the cloud's request ids.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails: it would rather crash the program
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := strings.ToUpper(hex.EncodeToString(b[:]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
