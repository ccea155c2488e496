// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

// What the cloud calls true and false where it does not use booleans.
var yes, no = "yes", "no"

// AuthenticationField is the name of the field of all families that may differ
// because a key was rotated.
const AuthenticationField = "authentication"

// field is one field of a configuration and whether two configurations agree
// in it.
type field struct {
	name string
	same bool
}

// differing names the fields that do not agree, in the order given.
func differing(fields ...field) []string {
	var names []string
	for _, f := range fields {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}

// sameAuthentication tells whether callbacks are signed alike. Without
// authentication a key means nothing.
func sameAuthentication(want, have bool, wantKey, haveKey Key) bool {
	return want == have && (!want || wantKey.same(haveKey))
}

// cleared tells whether a field is to become empty and is not.
func cleared(want, have string) bool { return want == "" && have != "" }

// ignoreNotFound makes the removal of what is not there a success.
func ignoreNotFound(err error) error {
	if ClassOf(err) == NotFound {
		return nil
	}
	return err
}
