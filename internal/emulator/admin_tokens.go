// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import "net/http"

// What the admin API shows and changes of the token service.

// accountBody is an account by its name and its number.
type accountBody struct {
	Name      string `json:"name"`
	AccountID string `json:"accountID"`
}

func listAccounts(s *Server, _ *http.Request) (any, error) {
	list := []accountBody{}
	for _, name := range s.trust.names() {
		list = append(list, accountBody{name, s.AccountID(name)})
	}
	return list, nil
}

// roleBody is Role in JSON, with the duration as a string.
type roleBody struct {
	Role
	MaxSession duration `json:"maxSession,omitempty"`
	ARN        string   `json:"arn,omitempty"` // only in answers
}

func listRoles(s *Server, _ *http.Request) (any, error) {
	list := []roleBody{}
	for _, role := range s.trust.roles.list() {
		list = append(list, roleBody{role, duration(role.MaxSession), s.RoleARN(role.Account, role.Name)})
	}
	return list, nil
}

func addRole(s *Server, r *http.Request) (any, error) {
	b, err := body[roleBody](r)
	if err != nil {
		return nil, err
	}
	b.Role.MaxSession = b.MaxSession.std()
	if err := s.AddRole(b.Role); err != nil {
		return nil, err
	}
	return fields{"arn": s.RoleARN(b.Account, b.Name)}, nil
}

func removeRole(s *Server, r *http.Request) (any, error) {
	s.RemoveRole(r.PathValue("account"), r.PathValue("name"))
	return okReply, nil
}

// providerBody is OIDCProvider in JSON.
type providerBody struct {
	OIDCProvider
	ARN string `json:"arn,omitempty"` // only in answers
}

func listProviders(s *Server, _ *http.Request) (any, error) {
	list := []providerBody{}
	for _, p := range s.trust.providers.list() {
		list = append(list, providerBody{p, s.OIDCProviderARN(p.Account, p.Name)})
	}
	return list, nil
}

func addProvider(s *Server, r *http.Request) (any, error) {
	b, err := body[providerBody](r)
	if err != nil {
		return nil, err
	}
	if err := s.AddOIDCProvider(b.OIDCProvider); err != nil {
		return nil, err
	}
	return fields{"arn": s.OIDCProviderARN(b.Account, b.Name)}, nil
}

func removeProvider(s *Server, r *http.Request) (any, error) {
	s.RemoveOIDCProvider(r.PathValue("account"), r.PathValue("name"))
	return okReply, nil
}

func listSessions(s *Server, _ *http.Request) (any, error) { return s.Sessions(), nil }

func expireSessions(s *Server, _ *http.Request) (any, error) {
	s.ExpireSessions()
	return okReply, nil
}
