// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What the API server says of Secrets has the names that are shown anyway, and no value.
func TestNamesOfSecretsAreShown(t *testing.T) {
	const name, value = "all-the-keys-of-production-2026", "Canary0Value0000000000000000000001"
	secrets := schema.GroupResource{Resource: "secrets"}
	may := `User "system:serviceaccount:a-namespace-of-production:an-importer-2026" cannot create resource "secrets" in API group "" in the namespace "a-namespace-of-production"`
	for text, tc := range map[string]struct {
		err  error
		want string
	}{
		"not found":               {apierrors.NewNotFound(secrets, name), `"` + name + `" not found`},
		"there already":           {apierrors.NewAlreadyExists(secrets, name), `"` + name + `" already exists`},
		"forbidden":               {apierrors.NewForbidden(secrets, "", errors.New(may)), may},
		"forbidden, with a value": {apierrors.NewForbidden(secrets, name, errors.New(may+": "+value)), `secrets "` + name + `" is forbidden: ` + may},
		"refused by a policy":     {apierrors.NewForbidden(secrets, name, errors.New("no "+value)), `secrets "` + name + `" is forbidden: no (hidden)`},
	} {
		t.Run(text, func(t *testing.T) {
			_, got := Explain(tc.err, name)
			if !strings.Contains(got, tc.want) || strings.Contains(got, value) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if _, got := Explain(tc.err); strings.Contains(got, value) {
				t.Errorf("got %q", got)
			}
		})
	}
}
