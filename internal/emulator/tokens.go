// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tokenVersion is the version of the token service (STS), which is another product than live, on the same server.
const tokenVersion = "2015-04-01"

// tokenOperations are the operations of the token service.
var tokenOperations = []operation{
	{"GetCallerIdentity", anyVerb, perSecond(100), nil, getCallerIdentity},
	{"AssumeRole", anyVerb, perSecond(100), []string{"RoleArn", "RoleSessionName"}, assumeRole},
	{
		withoutKey, anyVerb, perSecond(100),
		[]string{"RoleArn", "OIDCProviderArn", "OIDCToken", "RoleSessionName"}, assumeRoleWithOIDC,
	},
}

// withoutKey is the one operation that needs no access key: a token of an identity provider takes its place.
const withoutKey = "AssumeRoleWithOIDC"

const (
	defaultSession = time.Hour
	maxPolicy      = 2048
	maxExternalID  = 1224
)

var (
	roleARN     = regexp.MustCompile(`^acs:ram::([0-9]{1,20}):role/([A-Za-z0-9._-]{1,64})$`)
	providerARN = regexp.MustCompile(`^acs:ram::([0-9]{1,20}):oidc-provider/([A-Za-z0-9._-]{1,128})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]*$`)
)

// Errors of the token service.
var (
	errNoRole       = serviceError(http.StatusNotFound, "EntityNotExist.Role", "The specified Role not exists.")
	errNoPermission = serviceError(http.StatusForbidden, "NoPermission",
		"You are not authorized to do this action. You should be authorized by RAM.")
)

// errWronglyFormed says that a parameter of the token service cannot be what it should be.
func errWronglyFormed(param string) apiError {
	return serviceError(http.StatusBadRequest, "InvalidParameter."+param, "The parameter "+param+" is wrongly formed.")
}

func validExternalID(id string) bool {
	return len(id) >= 2 && len(id) <= maxExternalID && externalID.MatchString(id)
}

// getCallerIdentity tells the caller who it is. A key of the options is a RAM user that has the name of the key.
func getCallerIdentity(_ *Server, r *request) (fields, error) {
	accountID := r.caller.AccountID
	if issued := r.caller.session; issued != nil {
		id := roleID(accountID, issued.role)
		return fields{
			"IdentityType": "AssumedRoleUser",
			"AccountId":    accountID,
			"RoleId":       id,
			"PrincipalId":  id + ":" + issued.name,
			"Arn":          "acs:ram::" + accountID + ":assumed-role/" + issued.role + "/" + issued.name,
		}, nil
	}
	id := digits(18, "user", accountID+"/"+r.caller.ID)
	return fields{
		"IdentityType": "RAMUser",
		"AccountId":    accountID,
		"UserId":       id,
		"PrincipalId":  id,
		"Arn":          "acs:ram::" + accountID + ":user/" + r.caller.ID,
	}, nil
}

func roleID(accountID, role string) string { return digits(18, "role", accountID+"/"+role) }

// accountOfRole returns whose role this is; empty if that is not known.
func (s *Server) accountOfRole(arn string) string {
	parts := roleARN.FindStringSubmatch(arn)
	if parts == nil {
		return ""
	}
	name, _ := s.trust.account(parts[1])
	return name
}

func assumeRole(s *Server, r *request) (fields, error) {
	if id := r.params["ExternalId"]; r.params.has("ExternalId") && !validExternalID(id) {
		return nil, errWronglyFormed("ExternalId")
	}
	asked, err := s.askedSession(r)
	if err != nil {
		return nil, err
	}
	trusted, ids := asked.role.TrustedAccounts, asked.role.ExternalIDs
	if len(trusted) > 0 && !slices.Contains(trusted, r.account) ||
		len(ids) > 0 && !slices.Contains(ids, r.params["ExternalId"]) {
		return nil, errNoPermission
	}
	return s.issue(asked, r.now), nil
}

// sessionRequest is a session that a caller asks for.
type sessionRequest struct {
	account, accountID string
	role               Role
	roleName, name     string
	lasts              time.Duration
}

// askedSession reads the parameters that both ways to a role share.
func (s *Server) askedSession(r *request) (asked sessionRequest, err error) {
	parts := roleARN.FindStringSubmatch(r.params["RoleArn"])
	if parts == nil {
		return asked, errWronglyFormed("RoleArn")
	}
	asked.accountID, asked.roleName, asked.name = parts[1], parts[2], r.params["RoleSessionName"]
	if !sessionName.MatchString(asked.name) {
		return asked, errWronglyFormed("RoleSessionName")
	}
	if err := checkPolicy(r.params); err != nil {
		return asked, err
	}
	account, known := s.trust.account(asked.accountID)
	if known {
		asked.role, known = s.trust.roles.find(account, asked.roleName)
	}
	if !known {
		return asked, errNoRole
	}
	asked.account = account
	asked.lasts, err = r.params.sessionDuration(asked.role.MaxSession)
	return asked, err
}

// checkPolicy looks at the form of a policy. What it would forbid is not emulated.
func checkPolicy(p params) error {
	policy := p["Policy"]
	if len(policy) > maxPolicy {
		return serviceError(http.StatusBadRequest, "InvalidParameter.PolicySize",
			"The size of Policy must be smaller than 2048 bytes.")
	}
	if p.has("Policy") && (!strings.HasPrefix(strings.TrimSpace(policy), "{") || !json.Valid([]byte(policy))) {
		return serviceError(http.StatusBadRequest, "InvalidParameter.PolicyGrammar",
			"The parameter Policy has not passed grammar check.")
	}
	return nil
}

// sessionDuration reads how long a session shall last.
func (p params) sessionDuration(most time.Duration) (time.Duration, error) {
	if most == 0 {
		most = maxSession
	}
	if !p.has("DurationSeconds") {
		return defaultSession, nil
	}
	n, err := strconv.Atoi(p["DurationSeconds"])
	if err != nil || n < int(minSession/time.Second) || n > int(most/time.Second) {
		return 0, serviceError(http.StatusBadRequest, "InvalidParameter.DurationSeconds",
			"The Min/Max value of DurationSeconds is 15min/"+strconv.Itoa(int(most.Minutes()))+"min.")
	}
	return time.Duration(n) * time.Second, nil
}

// issue gives out an access key for a session, which may call from now on.
func (s *Server) issue(asked sessionRequest, now time.Time) fields {
	issued := &session{
		key: newSessionKey(asked.account, asked.accountID), role: asked.roleName, name: asked.name,
		expires: now.UTC().Truncate(time.Second).Add(asked.lasts), // as the answer shows it
	}
	s.sessions.add(issued)
	return fields{
		"AssumedRoleUser": fields{
			"Arn":           "acs:ram::" + asked.accountID + ":role/" + asked.roleName + "/" + asked.name,
			"AssumedRoleId": roleID(asked.accountID, asked.roleName) + ":" + asked.name,
		},
		"Credentials": fields{
			"AccessKeyId":     issued.key.ID,
			"AccessKeySecret": issued.key.Secret,
			"SecurityToken":   issued.key.SecurityToken,
			"Expiration":      issued.expires.Format(timeFormat),
		},
	}
}
