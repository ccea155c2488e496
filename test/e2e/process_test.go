// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// process returns the process of a pod's container, by its program's name, if
// the node is this machine and lets us see it.
func (w world) process(pod corev1.Pod, program string) (pid int, found bool) {
	w.Helper()
	if len(pod.Status.ContainerStatuses) != 1 {
		w.Fatalf("pod %s has %d containers, want one", pod.Name, len(pod.Status.ContainerStatuses))
	}
	_, id, _ := strings.Cut(pod.Status.ContainerStatuses[0].ContainerID, "://")
	dirs, err := filepath.Glob("/proc/[0-9]*")
	w.must(err)
	for _, dir := range dirs {
		cgroups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
		if err != nil || id == "" || !strings.Contains(string(cgroups), id) {
			continue // it may have ended
		}
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || filepath.Base(exe) != program {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		w.must(err)
		return pid, true
	}
	return 0, false
}

// confined fails the test unless a pod is as its security context says: as the
// API server has it and, where the process can be seen, as the kernel has it.
func (w world) confined(pod corev1.Pod, program string, token bool) {
	w.Helper()
	mounted := false
	for _, v := range pod.Spec.Volumes {
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				mounted = mounted || s.ServiceAccountToken != nil
			}
		}
	}
	if mounted != token {
		w.Errorf("pod %s has a token of its ServiceAccount: %t, want %t", pod.Name, mounted, token)
	}
	c := pod.Spec.Containers[0].SecurityContext
	if c == nil || c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
		w.Errorf("pod %s may write to its root file system", pod.Name)
	}
	pid, found := w.process(pod, program)
	if !found {
		w.Logf("the process of pod %s is not on this machine: only its specification was looked at", pod.Name)
		return
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	w.must(err)
	have := map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		have[name] = strings.Join(strings.Fields(value), " ")
	}
	for name, want := range map[string]string{
		"Uid": "65532 65532 65532 65532", "Gid": "65532 65532 65532 65532", "NoNewPrivs": "1", "Seccomp": "2",
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
	} {
		if have[name] != want {
			w.Errorf("%s of pod %s has %s %q, want %q", program, pod.Name, name, have[name], want)
		}
	}
	mounts, err := os.ReadFile(filepath.Join(dir, "mountinfo"))
	w.must(err)
	secret := false
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if f[4] == "/" && !strings.HasPrefix(f[5], "ro") {
			w.Errorf("the root file system of pod %s is mounted %s", pod.Name, f[5])
		}
		secret = secret || strings.HasPrefix(f[4], "/var/run/secrets") || strings.HasPrefix(f[4], "/run/secrets")
	}
	if secret != token {
		w.Errorf("secrets are mounted in pod %s: %t, want %t", pod.Name, secret, token)
	}
}

// none is an empty set of capabilities.
const none = "0000000000000000"
