// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveAccountSpec says which cloud account to use, and how.
type LiveAccountSpec struct {
	// region of the account's live centre, sent as RegionId with the operations
	// that take one: up to 64 lower-case letters, digits and hyphens, such as
	// eu-central-1. Default cn-shanghai. The endpoint does not depend on it.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9]*(-[a-z0-9]+)+$')",message="must be a region ID, such as cn-shanghai; leave the field out for cn-shanghai"
	// +kubebuilder:default=cn-shanghai
	// +optional
	Region string `json:"region,omitempty"`

	// endpoint of the API, as host or host:port, optionally with https:// in
	// front, and with a port from 1 to 65535. Default live.aliyuncs.com, which serves
	// all regions.
	// http:// is refused unless the host is loopback or the operator runs with
	// --allow-insecure-endpoints.
	// +kubebuilder:validation:MaxLength=261
	// +kubebuilder:validation:XValidation:rule=`self.matches('^(https?://)?([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?$') && self.matches('^(https?://)?[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^(https?://)?((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^(https?://)?([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^(https?://)?((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; leave the field out for live.aliyuncs.com' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for' : !self.matches('^(https?://)?([^]/?#@[:space:]:[]*|[[][^]/?#@]*[]])(:[0-9]+)?$') ? 'must be host or host:port, optionally with https:// in front and nothing behind, such as live.aliyuncs.com' : self.matches(':[0-9]+$') && !self.matches(':(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})$') ? 'must have a port from 1 to 65535, or none' : self.matches('^(https?://)?((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// credentials say how the operator proves who it is. Exactly one kind.
	Credentials LiveCredentials `json:"credentials"`

	// assumeRole makes the operator assume a RAM role with these credentials
	// and act as that role, for example in another cloud account. Default: it
	// acts as who the credentials say.
	// +optional
	AssumeRole *AssumeRole `json:"assumeRole,omitempty"`

	// quotaSharePercent is the share of each documented request limit of the
	// account that the operator may use, 1 to 100. Default 80: the rest is left
	// to others who call the same account. A change takes effect at once.
	// LiveAccounts that the token service tells to be of one cloud account share
	// its limits, of which the operator uses at most --quota-share-percent for all
	// of them together. Other operators have limits of their own, which add up.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=80
	// +optional
	QuotaSharePercent int32 `json:"quotaSharePercent,omitempty"`

	// maxDeletionsPerHour is how many configurations, up to 100000, the operator removes
	// from the cloud within an hour, for objects that refer to this account and are deleted;
	// the others wait, with Ready Unknown, reason DeletionHeld, and a message that
	// says when their turn is. 0, the default, is no limit. A change takes effect at
	// once. It bounds what a mistake such as kubectl delete --all can do before
	// someone notices.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	MaxDeletionsPerHour int32 `json:"maxDeletionsPerHour,omitempty"`

	// allowedDomains are the domains that objects may manage through this
	// account, such as push.example.com or *.example.com, where * stands for
	// any characters; at most 256, each of which can match a domain. Empty, the default,
	// means any. An object with
	// another domain has Ready False, reason AccessDenied, and no call is made
	// for it.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?([.][a-z0-9*]([-a-z0-9*]*[a-z0-9*])?)*$') && self.matches('[.*]') && !self.matches('(^|[.])[0-9]+$') && !self.matches('[-a-z0-9]{64}|[*]{2}')",message="must be a domain name in lower case, in which * stands for any characters, such as push.example.com or *.example.com, without scheme, port, path and dots at its ends; * alone is any domain"
	// +listType=set
	// +optional
	AllowedDomains []string `json:"allowedDomains,omitempty"`
}

// LiveCredentials are the ways to prove who the operator is: exactly one.
// +kubebuilder:validation:XValidation:rule="[has(self.accessKeySecretRef), has(self.oidc), has(self.ecsRAMRole)].exists_one(x, x)",message="set exactly one of accessKeySecretRef, oidc and ecsRAMRole"
type LiveCredentials struct {
	// accessKeySecretRef names a Secret in the same namespace with the entries
	// accessKeyID, accessKeySecret and, for temporary credentials,
	// securityToken. A changed Secret takes effect without a restart.
	// +optional
	AccessKeySecretRef *LocalSecretReference `json:"accessKeySecretRef,omitempty"`

	// oidc uses RRSA (RAM Roles for Service Accounts): a token minted for a
	// ServiceAccount of this namespace is exchanged for the role.
	// +optional
	OIDC *OIDCCredentials `json:"oidc,omitempty"`

	// ecsRAMRole uses the RAM role of the ECS instance that the operator runs
	// on. Refused if the operator runs with --require-account-ref.
	// +optional
	ECSRAMRole *ECSRAMRole `json:"ecsRAMRole,omitempty"`
}

// LocalSecretReference names a Secret in the namespace of the object.
type LocalSecretReference struct {
	// name of the Secret, at most 253 characters.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret in the same namespace: lower-case letters, digits, '-' and '.'"
	Name string `json:"name"`
}

// OIDCCredentials exchange a ServiceAccount token for a RAM role (RRSA).
type OIDCCredentials struct {
	// roleARN is the RAM role to act as, such as
	// acs:ram::123456789012****:role/live-notify.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^acs:ram::[0-9]+:role/[-A-Za-z0-9._@/]+$')",message="must be the ARN of a RAM role, such as acs:ram::1234567890123456:role/live-notify"
	RoleARN string `json:"roleARN"`

	// oidcProviderARN is the identity provider of the cluster, such as
	// acs:ram::123456789012****:oidc-provider/ack-rrsa-c1234.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^acs:ram::[0-9]+:oidc-provider/[-A-Za-z0-9._@/]+$')",message="must be the ARN of an OIDC provider, such as acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1234"
	OIDCProviderARN string `json:"oidcProviderARN"`

	// serviceAccountName is the ServiceAccount, in the same namespace, that the
	// token is minted for. The role's trust policy decides whether it may be
	// assumed by it.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a ServiceAccount in the same namespace: lower-case letters, digits, '-' and '.'"
	ServiceAccountName string `json:"serviceAccountName"`
}

// ECSRAMRole is the RAM role of an ECS instance.
type ECSRAMRole struct {
	// roleName of the instance's RAM role: 1 to 64 letters, digits, '.' and '-'; not
	// its ARN.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-A-Za-z0-9.]+$')",message="must be the name of a RAM role: letters, digits, '.' and '-'"
	RoleName string `json:"roleName"`
}

// AssumeRole is a RAM role to assume with the account's credentials.
type AssumeRole struct {
	// roleARN is the RAM role to act as, such as
	// acs:ram::123456789012****:role/live-notify; at most 512 characters.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^acs:ram::[0-9]+:role/[-A-Za-z0-9._@/]+$')",message="must be the ARN of a RAM role, such as acs:ram::1234567890123456:role/live-notify"
	RoleARN string `json:"roleARN"`

	// externalID that the role's trust policy asks for, if it does: 2 to 1224
	// letters, digits and + = , . @ : / - _ on one line. Default: none.
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-A-Za-z0-9_+=,.@:/]{2,}$')",message="must be 2 to 1224 letters, digits and + = , . @ : / - _ on one line, as the cloud demands; leave the field out if the role's trust policy asks for none"
	// +optional
	ExternalID string `json:"externalID,omitempty"`
}

// LiveAccountStatus is the observed state of a LiveAccount.
type LiveAccountStatus struct {
	// observedGeneration is the generation of the spec that this status is for. It is -1
	// before the first one, so that no tool takes an object without conditions for ready.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the account: Ready, True while its credentials load and the
	// token service does not deny them; Verified, True while it vouches for
	// accountID; and Stalled while no retry will help.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// accountID is the cloud account, as the token service told it. LiveAccounts
	// of one cloud account share its request limits.
	// +optional
	AccountID string `json:"accountID,omitempty"`

	// identity that is in use, such as an access key ID (masked) or the ARN of
	// a role; never a secret.
	// +optional
	Identity string `json:"identity,omitempty"`

	// deletions are how many configurations were removed within the last hour, by
	// minute, while there is a limit: spec.maxDeletionsPerHour. What is about to be
	// removed is counted first, so that a restart forgets none.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Deletions []DeletionCount `json:"deletions,omitempty"`
}

// DeletionCount is how many configurations were removed within a minute.
type DeletionCount struct {
	// minute is when it begins.
	Minute metav1.Time `json:"minute"`
	// count of configurations.
	Count int32 `json:"count"`
}

// LiveAccount says in which cloud account, and with which credentials, the
// callback kinds of its namespace that refer to it are managed.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=la,categories=live
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.region`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.accountID`
// +kubebuilder:printcolumn:name="Identity",type=string,JSONPath=`.status.identity`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
type LiveAccount struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which account to use, and how.
	Spec LiveAccountSpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveAccountStatus `json:"status,omitempty"`
}

// LiveAccountList is a list of LiveAccounts.
// +kubebuilder:object:root=true
type LiveAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveAccount `json:"items"`
}
