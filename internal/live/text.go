// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// cut marks where a text was shortened.
const cut = "…"

// maxForeign bounds, in bytes, what of a foreign text is looked at.
const maxForeign = 64 << 10

// Clean returns a text of someone else that can be shown: one line of valid UTF-8
// of at most so many bytes, in which whatever has the shape of a secret, of an ID
// or of a time is hidden. So no key gets out, in whatever encoding someone repeats
// it, and the same failure has the same text each time.
func Clean(s string, most int) string {
	if len(s) > maxForeign {
		s = s[:maxForeign]
		s = s[:strings.LastIndexByte(s, ' ')+1] // no part of a key
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1 // one that cannot be seen would hide what is one word
		default:
			return r
		}
	}, s)
	s = shapes.ReplaceAllStringFunc(strings.Join(strings.Fields(s), " "), func(found string) string {
		if vocabulary()[strings.Trim(found, "+/=_-")] {
			return found
		}
		return hidden
	})
	s = mixed.ReplaceAllStringFunc(s, func(found string) string {
		if strings.ContainsAny(found, "0123456789") && strings.Trim(found, "0123456789") != "" {
			return hidden
		}
		return found
	})
	return shorten(s, most)
}

// mixed finds what may be a part of a key: one of letters and digits together, no
// shorter than half of the shortest key.
var mixed = regexp.MustCompile(`[A-Za-z0-9]{8,}`)

// Bound returns a value that is kept as it is, such as a URL, as valid UTF-8 of at
// most so many bytes. What cannot be printed becomes a replacement character, so
// that the value never equals one without it.
func Bound(s string, most int) string {
	s = shorten(s, most)
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// shorten cuts a text, at the end of a character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := max(most-len(cut), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cut
}

// shapes finds what is hidden: a run of 16 or more characters that a key, a token, a
// signature or an ID is made of, as they are or escaped; bytes in hex or in decimal;
// single characters with something between them; dates, times, and long numbers. No
// key of a family is shorter.
var shapes = regexp.MustCompile(
	`(?:[A-Za-z0-9+/=_-]|%[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}|\\+x[0-9A-Fa-f]{2}|\\+[0-7]{3}|&(?:amp;)*#x?[0-9A-Fa-f]{1,6};){16,}` +
		`|(?:(?:0x)?[0-9A-Fa-f]{1,3}[ :,]+){7,}(?:0x)?[0-9A-Fa-f]{1,3}` +
		`|(?:\b[A-Za-z0-9][ ,:;|._-]{1,3}){7,}[A-Za-z0-9]\b` +
		`|\d{4}[-/]\d\d[-/]\d\d(?:T[0-9:.]+Z?)?` +
		`|\d{1,2}:\d\d:\d\d(?:\.\d+)?Z?` +
		`|\d{6,}`)

// vocabulary are the long words that a message may have: those of the API.
var vocabulary = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, op := range operations {
		words[op.Action] = true
	}
	for code := range classes {
		for word := range strings.SplitSeq(code, ".") {
			words[word] = true
		}
	}
	for _, word := range []string{
		"ExceptionNotifyUrl", "NeedStatusNotify", "LiveStreamsNotifyConfig", "LiveRecordNotifyConfig", "NotifyRecordsInfo",
		"MissingDomainName", "MissingParameter", "MissingSecurityToken", "MissingAccessKeyId", "MissingCallbackUrl", "InvalidParameter",
		"IncompleteSignature", "AuthenticationFail", "AssumeRoleWithOIDC", "GetCallerIdentity",
	} {
		words[word] = true
	}
	return words
})

// codeShape is what an error code looks like.
var codeShape = regexp.MustCompile(`^[A-Za-z0-9]{1,64}(\.[A-Za-z0-9]{1,64})*$`)

// shownCode returns a code as it is shown: one that looks like none is Other.
func shownCode(code string) string {
	if len(code) <= 64 && codeShape.MatchString(code) && Clean(code, len(code)) == code {
		return code
	}
	return codeOther
}

// uuid is the shape of the cloud's request IDs, which no key has; idShape is that of
// what is removed from messages as one.
var (
	uuid    = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	idShape = regexp.MustCompile(`^[0-9A-Za-z-]{4,64}$`)
)

// shownID returns a request ID as it is shown in logs.
func shownID(id string) string {
	if uuid.MatchString(id) {
		return id
	}
	return Clean(id, 64)
}

var subIDShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// shownSubIDs returns the IDs of subscriptions as a message shows them: sorted, and
// the first few of many.
func shownSubIDs(ids []string) string {
	shown, more := slices.Sorted(slices.Values(ids)), ""
	if len(shown) > 5 {
		shown, more = shown[:5], " and more"
	}
	for i, id := range shown {
		if !subIDShape.MatchString(id) {
			shown[i] = Clean(id, maxID)
		}
	}
	return strings.Join(shown, ", ") + more
}
