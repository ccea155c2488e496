// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Exit codes. That of what could not be found out beats that of "no".
const (
	exitYes         = 0
	exitNo          = 1
	exitUsage       = 2
	exitUnknown     = 3
	exitInterrupted = 130
)

// errNo is the answer no: it has been told.
var errNo = errors.New("the answer is no")

// errTold is a failure that has been told.
var errTold = errors.New("told")

// usageError is a call that is wrong, and what to do.
type usageError struct{ message string }

// Error returns the message.
func (e *usageError) Error() string { return e.message }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// unknownError is something that could not be found out, in words of our own: these are
// shown as they are, and not cleaned as those of others. What is behind it, if anything,
// is explained after them.
type unknownError struct {
	message string
	cause   error
}

// Error returns the message.
func (e *unknownError) Error() string { return e.message }

// Unwrap returns what is behind it.
func (e *unknownError) Unwrap() error { return e.cause }

func unknown(format string, args ...any) error { return because(nil, format, args...) }

// because is unknown, with the error of another that is behind it.
func because(cause error, format string, args ...any) error {
	return &unknownError{fmt.Sprintf(format, args...), cause}
}

// app is one call of the program.
type app struct {
	name       string
	in         io.Reader
	out, err   io.Writer
	isTerminal func(stream any) bool
	sleep      func(context.Context, time.Duration) error

	config            *genericclioptions.ConfigFlags
	output            string
	exitZero, noColor bool
	account           string
	region, endpoint  string
	sts               string
	insecure          bool
	share             int

	began bool // the call was understood
}

// run runs the program, and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	a.config.WrapConfigFn = interruptible(ctx)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	strict(root) // whose completion takes over where to print
	verb, err := root.ExecuteContextC(ctx)
	code := a.code(ctx, verb.CommandPath(), err)
	if code == exitNo && a.exitZero {
		return exitYes
	}
	return code
}

// code returns the exit code of an error of a verb, and tells the error. How the verb is
// called is told once, after all that is wrong.
func (a *app) code(ctx context.Context, verb string, err error) int {
	code, misused := a.told(ctx, err)
	if misused {
		fmt.Fprintf(a.err, "Run '%s --help' for usage.\n", verb)
	}
	return code
}

// told tells an error, and returns its exit code, and whether the call is to blame.
func (a *app) told(ctx context.Context, err error) (code int, misused bool) {
	if all := severalOf(err); len(all) > 1 && ctx.Err() == nil {
		for _, one := range all {
			its, itself := a.told(ctx, one)
			code, misused = max(code, its), misused || itself
		}
		return code, misused
	} else if len(all) == 1 {
		err = all[0]
	}
	u, refused := (*usageError)(nil), refusals(nil)
	if p, ok := errors.AsType[*fs.PathError](err); ok && a.began && p.Path == os.Stdout.Name() {
		err = errOutput // of a verb that is cobra's own
	}
	switch {
	case err == nil:
		return exitYes, false
	case errors.Is(err, errNo):
		return exitNo, false
	case errors.As(err, &u):
		fmt.Fprintf(a.err, "Error: %s\n", live.Bound(u.message, maxUsage))
		return exitUsage, true
	case a.began && ctx.Err() != nil:
		fmt.Fprintln(a.err, "Interrupted.")
		return exitInterrupted, false
	case errors.Is(err, errTold):
		return exitUnknown, false
	case !a.began:
		// The parser repeats what was typed, and a key may be in that.
		fmt.Fprintf(a.err, "Error: %s\n", live.Clean(err.Error(), maxUsage))
		return exitUsage, true
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		fmt.Fprintf(a.err, "Error: %s\n", refusalOf(err))
		return exitUsage, false
	case errors.As(err, &refused):
		fmt.Fprintf(a.err, "Error: %s\n", refused)
		return exitUsage, false
	default:
		fmt.Fprintf(a.err, "Error: %s\n", explained(err))
		return exitUnknown, false
	}
}

// quotedName is a name in words of our own.
var quotedName = regexp.MustCompile(`"([^"]+)"`)

// explained says what could not be found out, and of which manifest. What words of our own
// name before it is not hidden in it.
func explained(err error, named ...string) string {
	if all := severalOf(err); len(all) > 1 {
		said := make([]string, len(all))
		for n, one := range all {
			said[n] = explained(one, named...)
		}
		return strings.Join(said, "; ")
	} else if len(all) == 1 {
		err = all[0]
	}
	where := ""
	if at, ok := errors.AsType[*located](err); ok {
		where = at.source + ": "
	}
	if u, ok := errors.AsType[*unknownError](err); ok {
		said := where + live.Bound(u.message, maxUsage)
		if u.cause != nil {
			if name := quotedName.FindStringSubmatch(u.message); name != nil {
				named = name[1:]
			}
			said += ": " + explained(u.cause, named...)
		}
		return said
	}
	reason, message := access.Explain(err, named...)
	return where + strings.TrimPrefix(reason+": ", "Failed: ") + message
}

// severalOf returns the errors that an error is made of, each once, but not more than are
// shown of refusals: the libraries look for all that is asked for before they tell.
func severalOf(err error) []error {
	if err == nil {
		return nil
	}
	parts := []error{err}
	switch all := err.(type) { //nolint:errorlint // what is wrapped is told with the words around it
	case utilerrors.Aggregate:
		parts = utilerrors.Flatten(all).Errors()
	case interface{ Unwrap() []error }:
		parts = all.Unwrap()
	}
	seen := map[string]bool{}
	parts = slices.DeleteFunc(slices.Clone(parts), func(one error) bool {
		again := seen[one.Error()]
		seen[one.Error()] = true
		return again
	})
	if more := len(parts) - maxRefusals; more > 0 {
		parts = append(parts[:maxRefusals], unknown("%d more like these", more))
	}
	return parts
}

// maxUsage bounds what is said of a call that is wrong, in bytes.
const maxUsage = 1000

// formats are what --output takes, and "" for the first.
var formats = []string{"table", "wide", "json", "yaml", "name"}

// fileName returns the name of the program's file, which shells complete: kubectl has
// a completion of its own, that must stay.
func fileName(name string) string {
	plugin, ok := strings.CutPrefix(name, "kubectl ")
	if !ok {
		return name
	}
	return "kubectl-" + strings.ReplaceAll(plugin, "-", "_")
}

// root returns the root command.
func (a *app) root() *cobra.Command {
	a.config = genericclioptions.NewConfigFlags(true)
	root := &cobra.Command{
		Use:   fileName(a.name),
		Short: "See what the live-notify operator would do, bring in what is there, get back what was missed",
		Long: "See what the live-notify operator would do, bring in the callback configurations of an account, and get back the callbacks that a receiver missed.\n\n" +
			"Exit codes: 0 yes or nothing to do, 1 no, 2 the call is wrong, 3 it could not be found out, 130 interrupted.",
		SilenceErrors: true, SilenceUsage: true,
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: a.name},
	}
	root.PersistentPreRun = func(*cobra.Command, []string) { a.began = true }
	f := root.PersistentFlags()
	a.config.AddFlags(f)
	f.BoolVar(&a.exitZero, "exit-zero", false, "Exit with 0 where it would be 1.")
	f.BoolVar(&a.noColor, "no-color", false, "Print without colour, also on a terminal.")
	f.StringVar(&a.account, "account", "", "LiveAccount of the cluster to call the cloud through. Default: that of the object, else the vendor's default credentials.")
	f.StringVar(&a.endpoint, "endpoint", "", "Endpoint of the API for the default credentials, as [https://]host[:port]. Default "+live.DefaultEndpoint+".")
	f.StringVar(&a.region, "region", live.DefaultRegion, "Region of the default credentials.")
	f.StringVar(&a.sts, "sts-endpoint", "", "Endpoint of the token service. Default "+live.DefaultTokenService+".")
	f.BoolVar(&a.insecure, "allow-insecure-endpoints", false, "Allow http:// endpoints that are not loopback. Requests carry authentication keys.")
	f.IntVar(&a.share, "quota-share-percent", access.DefaultSharePercent, "How much of each documented request limit a run may use.")
	_ = root.RegisterFlagCompletionFunc("account", a.completeAccounts)
	for _, verb := range []func() *cobra.Command{
		a.plan, a.importing, a.failures, a.replay, a.probe, a.conformance,
		a.check, a.reconcile, a.suspend, a.resume, a.status, a.version,
	} {
		cmd := verb()
		a.wrap(cmd)
		root.AddCommand(cmd)
	}
	return root
}

// strict makes the verbs that are cobra's own refuse what they do not know: they would
// print help, and succeed.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return usage("there is no such verb: help without one lists them")
				}
				return nil
			}
		case "completion":
			cmd.DisableFlagsInUseLine = true
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // else Args is not asked
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					return nil
				}
				var shells []string
				for _, shell := range cmd.Commands() {
					shells = append(shells, shell.Name())
				}
				return usage("there is no completion for this shell: want one of %s", strings.Join(shells, ", "))
			}
		}
	}
}

// wrap checks the flags that all verbs have, before one is done.
func (a *app) wrap(cmd *cobra.Command) {
	do := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if name := emptyFlag(cmd.Flags()); name != "" {
			return usage("--%s is given and empty: give it a value, or leave it out", name)
		}
		if a.share < 1 {
			return usage("--quota-share-percent: must be at least 1")
		}
		if f := cmd.Flags().Lookup("output"); f != nil {
			a.output = f.Value.String()
			if err := oneOf("output", a.output, strings.Split(f.Annotations["formats"][0], ",")...); err != nil {
				return err
			}
		}
		for _, f := range []struct{ name, value string }{{"namespace", *a.config.Namespace}, {"account", a.account}} {
			if f.value != "" && noPart(f.value) {
				return usage("--%s: no name of Kubernetes has a / or a %%, or is . or ..", f.name)
			}
		}
		if a.endpoint != "" {
			if err := live.CheckEndpoint(a.endpoint, a.insecure); err != nil {
				return usage("--endpoint: %s", err)
			}
		}
		return do(cmd, args)
	}
}

// oneOf tells that the value of a flag is none of those that it takes.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usage("--%s %q: want one of %s", flag, value, strings.Join(allowed, ", "))
}

// checkReceiver tells that the value of a flag is no URL that callbacks can be sent to. A
// password in it would be in the list of processes.
func checkReceiver(flag, value string) error {
	u, err := url.Parse(value)
	if value == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
		return nil
	}
	return usage("--%s: want a URL that begins with http:// or https://, without a password, and with two digits behind each %%", flag)
}

// emptyFlag returns the name of a flag that was given without a value, or with a list
// that has an empty part: "" if there is none. It would count as not given, as a
// variable of a script does that was never set.
func emptyFlag(flags *pflag.FlagSet) (name string) {
	flags.Visit(func(f *pflag.Flag) {
		empty := f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			parts := list.GetSlice()
			empty = len(parts) == 0 || slices.Contains(parts, "")
		}
		if empty && name == "" {
			name = f.Name
		}
	})
	return name
}

// outputFlag gives a verb --output, with more formats than all have.
func (a *app) outputFlag(cmd *cobra.Command, more ...string) {
	a.outputFlagOr("table", cmd, more...)
}

// outputFlagOr is outputFlag with another format than table for a start. wrap reads the value.
func (a *app) outputFlagOr(otherwise string, cmd *cobra.Command, more ...string) {
	all := slices.Concat(formats, more)
	cmd.Flags().StringP("output", "o", otherwise, "How to print: "+strings.Join(all, ", ")+".")
	_ = cmd.Flags().SetAnnotation("output", "formats", []string{strings.Join(all, ",")})
	_ = cmd.RegisterFlagCompletionFunc("output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return all, cobra.ShellCompDirectiveNoFileComp
	})
}

// colour tells whether what goes to a stream may have colour.
func (a *app) colour(stream io.Writer) bool {
	return !a.noColor && os.Getenv("NO_COLOR") == "" && a.isTerminal(stream)
}
