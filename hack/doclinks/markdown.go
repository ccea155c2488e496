// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
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
	markdown  = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	attribute = regexp.MustCompile(`(?i)\s(href|src|id|name)\s*=\s*"([^"]*)"`)
	// undefined is what is left in a text of a link to a reference that is not there.
	undefined = regexp.MustCompile(`\[[^\[\]]+\]\[([^\[\]]+)\]`)
)

// reader collects what matters while a document is walked through.
type reader struct {
	source []byte
	slugs  map[string]int
	doc    document
}

// parse reads one file.
func parse(source string) document {
	r := reader{source: []byte(source), slugs: map[string]int{}, doc: document{anchors: map[string]bool{}}}
	pc := parser.NewContext()
	tree := markdown.Parse(text.NewReader(r.source), parser.WithContext(pc))
	_ = ast.Walk(tree, r.visit) // visit has no error
	// A definition that nobody uses is dead all the same.
	for _, d := range pc.References() {
		at := bytes.Index(r.source, append(append([]byte("["), d.Label()...), "]:"...))
		r.add(max(at, 0), string(d.Destination()))
	}
	return r.doc
}

func (r *reader) visit(node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := node.(type) {
	case *ast.Heading:
		r.heading(slug(shown(n, r.source)))
	case *ast.Link:
		if n.Reference == nil {
			r.add(start(n), string(n.Destination))
		}
	case *ast.Image:
		if n.Reference == nil {
			r.add(start(n), string(n.Destination))
		}
	case *ast.RawHTML:
		r.html(n.Segments)
	case *ast.HTMLBlock:
		if n.HTMLBlockType != ast.HTMLBlockType2 { // a comment
			r.html(n.Lines())
		}
	case *ast.Paragraph, *ast.TextBlock:
		r.undefined(n)
	}
	return ast.WalkContinue, nil
}

// add adds a link at a place in the source.
func (r *reader) add(at int, target string) {
	r.doc.links = append(r.doc.links, link{line: bytes.Count(r.source[:at], []byte("\n")) + 1, target: target})
}

// heading adds the anchor that forges make of a heading. Equal headings get
// numbers, from the second on.
func (r *reader) heading(s string) {
	n := r.slugs[s]
	r.slugs[s]++
	if n > 0 {
		s = fmt.Sprintf("%s-%d", s, n)
	}
	r.doc.anchors[s] = true
}

func (r *reader) html(segments *text.Segments) {
	for _, s := range segments.Sliced(0, segments.Len()) {
		for _, m := range attribute.FindAllSubmatch(s.Value(r.source), -1) {
			if name := strings.ToLower(string(m[1])); name == "id" || name == "name" {
				r.doc.anchors[string(m[2])] = true
			} else {
				r.add(s.Start, string(m[2]))
			}
		}
	}
}

// undefined looks for references in the text of a block that are left as they are.
func (r *reader) undefined(block ast.Node) {
	var plain []byte
	for n := block.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			plain = append(plain, t.Value(r.source)...)
		} else {
			plain = append(plain, 0)
		}
	}
	for _, m := range undefined.FindAllSubmatch(plain, -1) {
		r.add(start(block), string(m[1]))
		r.doc.links[len(r.doc.links)-1].undefined = true
	}
}

// start returns where the text of a node begins, or that of what it is in.
func start(node ast.Node) int {
	at := -1
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			at = t.Segment.Start
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	for ; at < 0 && node != nil; node = node.Parent() {
		if node.Type() == ast.TypeBlock && node.Lines().Len() > 0 {
			at = node.Lines().At(0).Start
		}
	}
	return max(at, 0)
}

// shown returns the text of a node, as it is read.
func shown(node ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// slug follows GitHub: the text as shown, lower case, spaces as hyphens, and
// without any punctuation but hyphens and underscores.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			b.WriteRune('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
