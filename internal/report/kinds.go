// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

// Build is which build of the program this is.
type Build struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// Change is what a verb that writes to an object did.
type Change struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Result is what was done, or would be; of a reconcile that waits, what came of it: the
	// reason of Ready, behind "not looked at" or "not ready" unless Ready is True.
	Result string `json:"result"`
}

// ChangesSummary counts the objects.
type ChangesSummary struct {
	Objects int `json:"objects"`
	Done    int `json:"done"`
}

// Changes are what a verb that writes to objects did.
type Changes = Report[ChangesSummary, Change]
