// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// cluster is a kube-apiserver and its etcd.
type cluster struct {
	env     *envtest.Environment
	client  client.Client
	kinds   []schema.GroupVersionKind // those that the CRDs define
	kubectl string
}

// startCluster starts a control plane with our CRDs, and writes a kubeconfig
// for it.
func startCluster(assets string) (_ *cluster, err error) {
	start := time.Now()
	say("starting kube-apiserver and etcd")
	env, err := controlPlaneOf(assets)
	if err != nil {
		return nil, err
	}
	c := &cluster{env: env, kubectl: filepath.Join(assets, "kubectl")}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if _, err := env.Start(); err != nil {
		return nil, withLog(withLog(err, etcdLog), apiServerLog)
	}
	crds, err := envtest.InstallCRDs(env.Config, envtest.CRDInstallOptions{Paths: []string{crdDir}, ErrorIfPathMissing: true})
	if err != nil {
		return nil, fmt.Errorf("installing the CRDs of %s: %w", crdDir, err)
	}
	// The certificates are in the file: it works by itself.
	if err := os.WriteFile(kubeconfig, env.KubeConfig, 0o600); err != nil {
		return nil, err
	}
	for _, crd := range crds {
		for _, version := range crd.Spec.Versions {
			c.kinds = append(c.kinds, schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind})
		}
	}
	config := rest.CopyConfig(env.Config)
	config.WarningHandler = rest.NoWarnings{}
	if c.client, err = client.New(config, client.Options{}); err != nil {
		return nil, err
	}
	say("the API server is %s, after %s", env.Config.Host, since(start))
	return c, nil
}

func controlPlaneOf(assets string) (*envtest.Environment, error) {
	for _, dir := range []string{etcdDir, certDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	etcdOutput, err := os.Create(etcdLog)
	if err != nil {
		return nil, err
	}
	apiServerOutput, err := os.Create(apiServerLog)
	if err != nil {
		return nil, err
	}
	etcd, err := inPlaceOf(assets, "etcd")
	if err != nil {
		return nil, err
	}
	apiServer, err := inPlaceOf(assets, "kube-apiserver")
	if err != nil {
		return nil, err
	}
	never := false
	env := &envtest.Environment{
		UseExistingCluster:       &never, // whatever the environment says
		BinaryAssetsDirectory:    assets,
		ControlPlaneStartTimeout: startTimeout,
	}
	env.ControlPlane.Etcd = &envtest.Etcd{Path: etcd, DataDir: absolute(etcdDir), Out: etcdOutput, Err: etcdOutput}
	server := env.ControlPlane.GetAPIServer()
	server.Path, server.CertDir, server.Out, server.Err = apiServer, absolute(certDir), apiServerOutput, apiServerOutput
	return env, nil
}

// stop ends the control plane and removes its data.
func (c *cluster) stop() {
	say("stopping kube-apiserver and etcd")
	err := c.env.Stop()
	err = errors.Join(err, os.RemoveAll(etcdDir), os.RemoveAll(certDir), os.RemoveAll(controlPlane), os.RemoveAll(kubeconfig))
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo: stopping the control plane:", err)
	}
}

// absolute returns the absolute form of a path in the state directory.
func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path // the working directory is gone; whoever uses the path will say so
	}
	return abs
}
