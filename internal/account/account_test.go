// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import "testing"

func TestAllowedDomains(t *testing.T) {
	for name, c := range map[string]struct {
		globs  []string
		domain string
		want   bool
	}{
		"any":                         {nil, "push.example.com", true},
		"itself":                      {[]string{"push.example.com"}, "push.example.com", true},
		"below":                       {[]string{"*.example.com"}, "a.b.example.com", true},
		"not the domain itself":       {[]string{"*.example.com"}, "example.com", false},
		"not one that ends alike":     {[]string{"*.example.com"}, "evilexample.com", false},
		"not one that begins alike":   {[]string{"push.example.com"}, "push.example.com.evil.com", false},
		"one of several":              {[]string{"a.com", "b.com"}, "b.com", true},
		"what is no domain":           {[]string{"a.com"}, "", true},
		"all, said in so many words":  {[]string{"*"}, "push.example.com", true},
		"a star in the middle":        {[]string{"push-*.example.com"}, "push-7.example.com", true},
		"a star stands for something": {[]string{"push-*.example.com"}, "push.example.com", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := allows(c.globs, c.domain); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
