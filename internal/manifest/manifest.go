// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	crdfiles "github.com/live-notify/live-notify-operator/config/crd"
)

// checker is what a CRD demands of its objects.
type checker struct {
	names      apiextensionsv1.CustomResourceDefinitionNames
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// checkers are those of the embedded CRDs, by kind.
var checkers = sync.OnceValues(func() (map[string]*checker, error) {
	files, err := fs.Glob(crdfiles.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	all := map[string]*checker{}
	for _, name := range files {
		text, err := crdfiles.Bases.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return nil, fmt.Errorf("reading the CRD %s: %w", name, err)
		}
		if all[crd.Spec.Names.Kind], err = newChecker(&crd); err != nil {
			return nil, fmt.Errorf("reading the schema of %s: %w", name, err)
		}
	}
	return all, nil
})

func newChecker(crd *apiextensionsv1.CustomResourceDefinition) (*checker, error) {
	i := slices.IndexFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name == v1alpha1.GroupVersion.Version
	})
	if i < 0 {
		return nil, fmt.Errorf("it has no version %s", v1alpha1.GroupVersion.Version)
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[i].Schema.OpenAPIV3Schema, &props, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(&props)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		return nil, err
	}
	return &checker{crd.Spec.Names, structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// Default defaults and validates an object in place. What is wrong with it is an
// apierrors.StatusError in the words of the API server.
func Default(ctx context.Context, o *unstructured.Unstructured) error {
	gvk := o.GroupVersionKind()
	all, err := checkers()
	if err != nil {
		return err
	}
	c := all[gvk.Kind]
	if c == nil {
		return apierrors.NewBadRequest(fmt.Sprintf("no matches for kind %q in version %q: the kinds are %s",
			gvk.Kind, gvk.GroupVersion(), strings.Join(slices.Sorted(maps.Keys(all)), ", ")))
	}
	if gvk.GroupVersion() != v1alpha1.GroupVersion {
		return apierrors.NewBadRequest(fmt.Sprintf("no matches for kind %q in version %q: the version is %q", gvk.Kind, gvk.GroupVersion(), v1alpha1.GroupVersion))
	}
	unknown := pruning.PruneWithOptions(o.Object, c.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	if len(unknown) > 0 {
		said := make([]string, len(unknown))
		for i, name := range unknown {
			said[i] = fmt.Sprintf("unknown field %q", name)
		}
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: strict decoding error: %s",
			gvk.Kind, gvk.Version, gvk.Kind, strings.Join(said, ", ")))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(o.Object, c.structural)
	defaulting.Default(o.Object, c.structural)
	errs := metaErrors(o)
	errs = append(errs, validation.ValidateCustomResource(nil, o.UnstructuredContent(), c.schema)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, o.Object)...)
	if slices.ContainsFunc(errs, blocks) {
		errs = append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
	} else if c.rules != nil {
		more, _ := c.rules.Validate(ctx, nil, c.structural, o.Object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, more...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: gvk.Group, Kind: gvk.Kind}, o.GetName(), errs)
	}
	return nil
}

// Known tells whether a kind, in this version, has a CRD here.
func Known(gvk schema.GroupVersionKind) bool {
	all, err := checkers()
	return err == nil && all[gvk.Kind] != nil && gvk.GroupVersion() == v1alpha1.GroupVersion
}

// HasKind tells whether a CRD here is of a kind of this name, in any group and version and
// however it is written: whoever writes it most likely means that one.
func HasKind(name string) bool {
	all, err := checkers()
	if err != nil {
		return false
	}
	for kind := range all {
		if strings.EqualFold(kind, name) {
			return true
		}
	}
	return false
}

// blocks tells whether an error keeps the API server from looking at the rules.
func blocks(e *field.Error) bool {
	return slices.Contains([]field.ErrorType{
		field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid,
	}, e.Type)
}

// Names returns how a kind is called in URLs, and for short; "" for a kind that
// has no CRD.
func Names(kind string) (plural, short string) {
	all, err := checkers()
	if err != nil || all[kind] == nil {
		return "", ""
	}
	names := all[kind].names
	if len(names.ShortNames) > 0 {
		short = names.ShortNames[0]
	}
	return names.Plural, short
}

// FieldType returns the type of a field of a kind's spec, such as string, boolean
// or array, and its default; "" for a field that the spec does not have.
func FieldType(kind, name string) (typed string, otherwise any) {
	all, err := checkers()
	if err != nil || all[kind] == nil {
		return "", nil
	}
	spec := all[kind].structural.Properties["spec"]
	f, ok := spec.Properties[name]
	if !ok {
		return "", nil
	}
	return f.Type, f.Default.Object
}

// metaErrors are those of what all objects have, such as the name.
func metaErrors(o *unstructured.Unstructured) field.ErrorList {
	of := o.DeepCopy()
	if of.GetNamespace() == "" {
		of.SetNamespace("default") // where it is to go is not said yet
	}
	return metavalidation.ValidateObjectMetaAccessor(of, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
}
