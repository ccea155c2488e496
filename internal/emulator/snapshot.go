// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import "slices"

// snapshotOperations are the operations on the snapshot callbacks of a main streaming domain, and the one that shows the
// snapshot jobs of its applications.
var snapshotOperations = []operation{
	{"AddLiveSnapshotNotifyConfig", anyVerb, perSecond(30), []string{"DomainName", "NotifyUrl"}, snapshots.add},
	{"UpdateLiveSnapshotNotifyConfig", anyVerb, perSecond(30), []string{"DomainName"}, snapshots.update},
	{"DescribeLiveSnapshotNotifyConfig", anyVerb, perSecond(30), []string{"DomainName"}, snapshots.show},
	{"DeleteLiveSnapshotNotifyConfig", anyVerb, perSecond(30), []string{"DomainName"}, snapshots.remove},
	{"DescribeLiveSnapshotConfig", anyVerb, perSecond(100), []string{"DomainName"}, describeSnapshotJobs},
}

const (
	maxSnapshotURL = 500
	maxSnapshotKey = 32
)

var snapshots = plain[SnapshotConfig]{
	of:     func(s *Server) *configs[SnapshotConfig] { return &s.snapshotConfigs },
	exists: errSnapshotExists,
	absent: errNoConfig,
	apply: func(c *SnapshotConfig, r *request, merge merging) error {
		r.params.replaceIn(&c.NotifyURL, "NotifyUrl", merge)
		if !webURL(c.NotifyURL) || len(c.NotifyURL) > maxSnapshotURL {
			return errMalformedParam
		}
		if applyAuth(r, &c.Auth, &c.AuthKey, yesNo, maxSnapshotKey, merge) != nil {
			return errMalformedParam
		}
		return nil
	},
	merging:      func(sw Switches) merging { return merging{keepAbsent: sw.SnapshotUpdateMerges} },
	deleteAbsent: func(sw Switches) bool { return sw.SnapshotDeleteNotFound },
	describe: func(r *request, domain string, c *SnapshotConfig) (fields, error) {
		switch {
		case c == nil && r.switches.SnapshotDescribeNotFound:
			return nil, errNoConfig
		case c == nil:
			return fields{"DomainName": domain, "NotifyUrl": "", "NotifyReqAuth": "", "NotifyAuthKey": ""}, nil
		}
		auth := "no"
		if c.Auth {
			auth = "yes"
		}
		return fields{"DomainName": domain, "NotifyUrl": c.NotifyURL, "NotifyReqAuth": auth, "NotifyAuthKey": c.AuthKey}, nil
	},
}

const (
	defaultJobsPage = 10
	maxJobsPage     = 30
	minJobsPage     = 5
)

// describeSnapshotJobs lists the snapshot jobs of a domain, of which the emulator knows the callback alone.
func describeSnapshotJobs(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	size, sizeOK := r.params.number("PageSize", defaultJobsPage, maxJobsPage)
	number, numberOK := r.params.number("PageNum", 1, maxPageNumber)
	if !sizeOK || !numberOK || size < minJobsPage {
		return nil, errInvalidParam
	}
	jobs, _ := s.snapshotJobs.current(name)
	total := len(jobs)
	jobs = jobs[min((number-1)*size, total):min(number*size, total)]
	list := make([]fields, 0, len(jobs))
	for _, job := range jobs {
		list = append(list, fields{
			"DomainName": name, "AppName": job.App, "Callback": job.Callback, "TimeInterval": 60,
			"OssBucket": "snapshots", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "SequenceOssObject": "{AppName}/{Sequence}.jpg",
		})
	}
	return fields{
		"PageNum": number, "PageSize": size, "TotalNum": total, "TotalPage": (total + size - 1) / size, "Order": "asc",
		"LiveStreamSnapshotConfigList": fields{"LiveStreamSnapshotConfig": list},
	}, nil
}

// SnapshotJob is the callback of the snapshot job that AddLiveAppSnapshotConfig adds for an application, or for all of
// them under the name *.
type SnapshotJob struct {
	App      string `json:"app"`
	Callback string `json:"callback,omitempty"`
}

// SetSnapshotJobs replaces the snapshot jobs of a streaming domain.
func (s *Server) SetSnapshotJobs(domain string, jobs []SnapshotJob) {
	jobs = slices.Clone(jobs)
	s.snapshotJobs.put(domain, s.now(), &jobs)
}

// TakeSnapshot reports a snapshot of a stream to NotifyUrl of a streaming domain, and to the callback of the snapshot job
// of the application. What the content is, and that both are called, is undocumented.
func (s *Server) TakeSnapshot(domain, app, stream string) error {
	if err := s.checkDomain(domain, StreamingDomain); err != nil {
		return err
	}
	body := map[string]any{
		"event": "snapshot", "domain": domain, "app": app, "stream": stream, "time": s.now().Unix(),
		"uri": app + "/" + stream + "/1.jpg",
	}
	if c, ok := s.snapshotConfigs.current(domain); ok {
		key := c.AuthKey
		if !c.Auth {
			key = ""
		}
		s.post(domain, app, stream, "snapshot", c.NotifyURL, key, body)
	}
	jobs, _ := s.snapshotJobs.current(domain)
	for _, job := range jobs {
		if job.Callback != "" && (job.App == app || job.App == "*") {
			s.post(domain, app, stream, "snapshot", job.Callback, "", body)
		}
	}
	return nil
}
