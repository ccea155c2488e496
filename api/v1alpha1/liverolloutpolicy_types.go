// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// LiveRolloutPolicySpec says in which steps changes reach many objects.
type LiveRolloutPolicySpec struct {
	// selector selects objects of this namespace by their labels. Empty, the
	// default, selects all. Of several policies that select one object, the oldest counts.
	// +optional
	Selector ObjectSelector `json:"selector,omitzero"`

	// kinds of objects that the policy is for, such as LiveNotifyConfig. Empty, the
	// default, means all kinds that the cloud keeps callback records of; the others
	// cannot be watched.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Enum=LiveNotifyConfig;LiveRecordNotifyConfig;LiveRtcEventSub;LiveRtcMPUEventSub
	// +listType=set
	// +optional
	Kinds []string `json:"kinds,omitempty"`

	// maxConcurrent is how many changes are watched at once: a number from 1 to
	// 1000, or a percentage of the selected objects such as 10%, rounded down, of
	// which at least one and at most 1000 are. Default 1. The others wait, with
	// Ready Unknown, reason WaitingForRollout.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 1000 : self.matches('^([1-9][0-9]?|100)%$')",message="must be a number from 1 to 1000, or a percentage from 1% to 100%"
	// +kubebuilder:default=1
	// +optional
	MaxConcurrent *intstr.IntOrString `json:"maxConcurrent,omitempty"`

	// guard watches the changes of objects that have no guard of their own. Required;
	// {} watches each for 10m and undoes it at the first failure.
	Guard GuardSpec `json:"guard"`

	// paused true lets no change start. Those that are being watched go on. To pause
	// and resume a policy that is halted lets it go on, whatever failed. Default
	// false.
	// +optional
	Paused bool `json:"paused,omitempty"`
}

// ObjectSelector selects objects by their labels, all of it together. It is a
// LabelSelector whose mistakes the API server knows.
type ObjectSelector struct {
	// The API server does not let a rule match a key of a map, whose length no schema
	// can bound, with an expression: the rule looks at one character after the other.
	// Of the name, of which the length is n, it looks for the slash in front; and a list
	// of one element gives what is in it a name.

	// matchLabels are labels that an object has, with these values: at most 64. Keys
	// have up to 63 characters, optionally behind a domain name and a slash, and
	// values up to 63. Default: none.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(key, size(key) >= 1 && size(key) <= 317)",message="must have keys of labels, of 1 to 317 characters, such as example.com/team"
	// +kubebuilder:validation:XValidation:rule="self.all(key, size(key) < 1 || size(key) > 317 || [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63].filter(n, n < size(key) && key.charAt(size(key) - 1 - n) == '/')].all(names, (size(names) == 1 || size(names) == 0 && size(key) <= 63) && [size(names) == 1 ? size(key) - 1 - names[0] : -1].all(slash, slash <= 253 && key.charAt(slash + 1) in 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('') && key.charAt(size(key) - 1) in 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('') && [0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 272, 288, 304].all(i, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].all(j, i + j >= size(key) || [key.charAt(i + j)].all(c, c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || (i + j > slash ? c >= 'A' && c <= 'Z' || c in ['-', '_', '.'] : i + j == slash && slash > 0 || c in ['-', '.'] && i + j > 0 && i + j + 1 < slash && key.charAt(i + j + 1) != '.' && (c == '-' || key.charAt(i + j + 1) != '-'))))))))",message="must have keys of labels: up to 63 letters, digits, '-', '_' and '.', optionally behind a domain name and a slash, such as example.com/team"
	// +optional
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`

	// matchExpressions are what labels of an object are like: at most 64, all of which
	// hold. Default: none.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	MatchExpressions []LabelExpression `json:"matchExpressions,omitempty"`
}

// LabelValue is the value of a label, of at most 63 characters. The rule says so rather
// than the bound, which is wider, since it says what else a value may be.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9A-Za-z]([-._0-9A-Za-z]{0,61}[0-9A-Za-z])?)?$')",message="must be the value of a label: up to 63 letters, digits, '-', '_' and '.', with a letter or a digit at both ends"
type LabelValue string

// LabelExpression is what a label of an object is like.
// +kubebuilder:validation:XValidation:rule="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",message="In and NotIn need values, Exists and DoesNotExist take none"
type LabelExpression struct {
	// key of the label: up to 63 letters, digits, '-', '_' and '.', optionally behind
	// a domain name and a slash, such as example.com/team.
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[0-9A-Za-z]([-._0-9A-Za-z]{0,61}[0-9A-Za-z])?$') && self.indexOf('/') <= 253",message="must be the key of a label: up to 63 letters, digits, '-', '_' and '.', optionally behind a domain name and a slash, such as example.com/team"
	Key string `json:"key"`

	// operator is In or NotIn, which compare with values, or Exists or DoesNotExist.
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator metav1.LabelSelectorOperator `json:"operator"`

	// values that the label has, or has not: 1 to 64 with In and NotIn, none with
	// Exists and DoesNotExist. Each has up to 63 characters.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Values []LabelValue `json:"values,omitempty"`
}

// Selector returns the selector as one of Kubernetes; an error, which names the field
// and what is wrong in it, if it cannot be used.
func (s ObjectSelector) Selector() (labels.Selector, error) {
	selector := labels.NewSelector()
	add := func(at *field.Path, key string, operator selection.Operator, values []LabelValue) error {
		var texts []string
		for _, value := range values {
			texts = append(texts, string(value))
		}
		r, err := labels.NewRequirement(key, operator, texts, field.WithPath(at))
		if err == nil {
			selector = selector.Add(*r)
		}
		return err
	}
	path := field.NewPath("spec", "selector")
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		if err := add(path.Child("matchLabels"), key, selection.Equals, []LabelValue{s.MatchLabels[key]}); err != nil {
			return nil, err
		}
	}
	for i, e := range s.MatchExpressions {
		at := path.Child("matchExpressions").Index(i)
		operator, ok := operators[e.Operator]
		if !ok {
			return nil, field.NotSupported(at.Child("operator"), e.Operator, slices.Sorted(maps.Keys(operators)))
		}
		if err := add(at, e.Key, operator, e.Values); err != nil {
			return nil, err
		}
	}
	return selector, nil
}

var operators = map[metav1.LabelSelectorOperator]selection.Operator{
	metav1.LabelSelectorOpIn: selection.In, metav1.LabelSelectorOpNotIn: selection.NotIn,
	metav1.LabelSelectorOpExists: selection.Exists, metav1.LabelSelectorOpDoesNotExist: selection.DoesNotExist,
}

// LiveRolloutPolicyStatus is the observed state of a LiveRolloutPolicy.
type LiveRolloutPolicyStatus struct {
	// observedGeneration is the generation of the spec that this status is for. It is -1
	// before the first one, so that no tool takes an object without conditions for ready.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the policy: Ready, True while it is in force, and Halted, True
	// while a change that failed keeps others from starting.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// selected is how many objects the policy is for.
	// +optional
	Selected int32 `json:"selected"`
	// upToDate is how many of them are in the cloud as their spec says, with no
	// change under way.
	// +optional
	UpToDate int32 `json:"upToDate"`
	// watching is how many changes are being written, watched or undone.
	// +optional
	Watching int32 `json:"watching"`
	// waiting is how many changes wait for their turn.
	// +optional
	Waiting int32 `json:"waiting"`
	// failed is how many objects have a change that failed.
	// +optional
	Failed int32 `json:"failed"`

	// granted are the changes that may be under way. Each is noted here, with the
	// optimistic lock, before its first write.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=uid
	// +optional
	Granted []RolloutGrant `json:"granted,omitempty"`

	// halted are the changes that failed, and keep others from starting. Each is
	// noted here before it is undone.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=uid
	// +optional
	Halted []RolloutGrant `json:"halted,omitempty"`
}

// LiveRolloutPolicy says in which steps a change reaches many objects: only so many
// are watched at once, and one that fails halts the others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lrp,categories=live
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Halted",type=string,JSONPath=`.status.conditions[?(@.type=="Halted")].status`
// +kubebuilder:printcolumn:name="Selected",type=integer,JSONPath=`.status.selected`
// +kubebuilder:printcolumn:name="Up-to-date",type=integer,JSONPath=`.status.upToDate`
// +kubebuilder:printcolumn:name="Watching",type=integer,JSONPath=`.status.watching`
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.waiting`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.failed`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
type LiveRolloutPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says in which steps changes reach the selected objects.
	Spec LiveRolloutPolicySpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveRolloutPolicyStatus `json:"status,omitempty"`
}

// LiveRolloutPolicyList is a list of LiveRolloutPolicies.
// +kubebuilder:object:root=true
type LiveRolloutPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveRolloutPolicy `json:"items"`
}
