// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// document is what of a Markdown file matters to links.
type document struct {
	links   []link
	anchors map[string]bool
}

type link struct {
	line   int
	target string
	// undefined: the link is to a reference, target, that the file lacks.
	undefined bool
}

var (
	fence      = regexp.MustCompile("^ {0,3}(?:> ?)*\\s*(`{3,}|~{3,})")
	heading    = regexp.MustCompile(`^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$`)
	underline  = regexp.MustCompile(`^ {0,3}(=+|-+)[ \t]*$`)
	codeSpan   = regexp.MustCompile("``.+?``|`[^`]+`")
	comment    = regexp.MustCompile(`(?s)<!--.*?-->`)
	inline     = regexp.MustCompile(`\]\(\s*(?:<([^>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)`)
	definition = regexp.MustCompile(`^ {0,3}\[([^\]^][^\]]*)\]:\s*<?([^\s>]+)>?`)
	reference  = regexp.MustCompile(`\[([^\[\]]+)\]\[([^\[\]]*)\]`)
	attribute  = regexp.MustCompile(`(?i)<(?:a|img)\s[^>]*?(?:href|src)\s*=\s*"([^"]*)"`)
	named      = regexp.MustCompile(`(?i)<[a-z][a-z0-9]*\s[^>]*?(?:id|name)\s*=\s*"([^"]*)"`)
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	htmlTag    = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
	// emphasis with underscores counts only at word boundaries: snake_case keeps its own.
	emphasis = regexp.MustCompile(`(^|[^\pL\pN])_+([^_]+)_+($|[^\pL\pN])`)
)

// parse reads one file. It knows what the documentation uses of Markdown, not
// all of it: code blocks by indentation, for one, are read as text.
func parse(text string) document {
	doc := document{anchors: map[string]bool{}}
	text = comment.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
	lines := strings.Split(text, "\n")
	blankFences(lines)

	defined := map[string]bool{}
	for _, line := range lines {
		if m := definition.FindStringSubmatch(line); m != nil {
			defined[normalize(m[1])] = true
		}
	}

	slugs := map[string]int{}
	for i, line := range lines {
		switch m := heading.FindStringSubmatch(line); {
		case m != nil:
			doc.addHeading(m[1], slugs)
		case i+1 < len(lines) && strings.TrimSpace(line) != "" && underline.MatchString(lines[i+1]) && !strings.ContainsAny(line[:1], "|-*>"):
			doc.addHeading(line, slugs)
		}
		line = codeSpan.ReplaceAllStringFunc(line, func(s string) string { return strings.Repeat("`", len(s)) })
		for _, m := range named.FindAllStringSubmatch(line, -1) {
			doc.anchors[m[1]] = true
		}
		doc.links = append(doc.links, linksOf(line, i+1, defined)...)
	}
	return doc
}

func linksOf(line string, number int, defined map[string]bool) []link {
	var links []link
	for _, m := range inline.FindAllStringSubmatch(line, -1) {
		links = append(links, link{line: number, target: m[1] + m[2]})
	}
	for _, m := range attribute.FindAllStringSubmatch(line, -1) {
		links = append(links, link{line: number, target: m[1]})
	}
	if m := definition.FindStringSubmatch(line); m != nil {
		return append(links, link{line: number, target: m[2]})
	}
	for _, m := range reference.FindAllStringSubmatch(line, -1) {
		name := m[2]
		if name == "" {
			name = m[1]
		}
		if !defined[normalize(name)] {
			links = append(links, link{line: number, target: name, undefined: true})
		}
	}
	return links
}

// blankFences empties the lines of fenced code blocks: they hold examples.
func blankFences(lines []string) {
	open := ""
	for i, line := range lines {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == "" && m != nil:
			open = m[1]
		case open != "":
			if m != nil && m[1][0] == open[0] && len(m[1]) >= len(open) && strings.Trim(line, " \t>"+open[:1]) == "" {
				open = ""
			}
		default:
			continue
		}
		lines[i] = ""
	}
}

// addHeading adds the anchor that forges make of a heading. Equal headings get
// numbers, from the second on.
func (d document) addHeading(text string, slugs map[string]int) {
	s := slug(text)
	n := slugs[s]
	slugs[s]++
	if n > 0 {
		s = fmt.Sprintf("%s-%d", s, n)
	}
	d.anchors[s] = true
}

// slug follows GitHub: the text as shown, lower case, spaces as hyphens, and
// without any punctuation but hyphens and underscores.
func slug(heading string) string {
	s := linkText.ReplaceAllString(heading, "$1")
	if !strings.Contains(s, "`") {
		s = htmlTag.ReplaceAllString(s, "")
		s = emphasis.ReplaceAllString(s, "$1$2$3")
	}
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(s)) {
		switch {
		case r == ' ':
			b.WriteRune('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

func normalize(reference string) string {
	return strings.ToLower(strings.Join(strings.Fields(reference), " "))
}
