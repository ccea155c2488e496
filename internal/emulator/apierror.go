// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// apiError is an answer of the cloud API that is not a success.
type apiError struct {
	status  int
	code    string
	message string
	gateway bool // answered by the gateway before the service; such errors come with a link
	// retryAfter and limit travel in headers of a throttled answer.
	retryAfter time.Duration
	limit      int
}

func (e apiError) Error() string { return e.code + ": " + e.message }

// recommend is the link that comes with the errors of the gateway.
func (e apiError) recommend() string {
	if !e.gateway {
		return ""
	}
	return "https://error-center.aliyun.com/status/search?Keyword=" + url.QueryEscape(e.code) + "&source=PopGw"
}

func gatewayError(status int, code, message string) apiError {
	return apiError{status: status, code: code, message: message, gateway: true}
}

func serviceError(status int, code, message string) apiError {
	return apiError{status: status, code: code, message: message}
}

// Errors of the gateway about what is called.
var (
	errInvalidAPI = gatewayError(http.StatusNotFound, "InvalidApi.NotFound",
		"Specified api is not found, please check your url and method.")
	// errFormat is the gateway's for a format that it does not know. Here it also stands for XML, which is the default of
	// the older protocol and is not emulated.
	errFormat = gatewayError(http.StatusBadRequest, "InvalidParameter.Format",
		"Specified parameter Format is not valid. This emulator answers in JSON: say so.")
)

// errMissing says that a mandatory parameter is absent from the request.
func errMissing(param string) apiError {
	return gatewayError(http.StatusBadRequest, "Missing"+param, param+" is mandatory for this action.")
}

func errSignature(detail string) apiError {
	return gatewayError(http.StatusBadRequest, "SignatureDoesNotMatch",
		"Specified signature is not matched with our calculation. "+detail)
}

func errThrottled(limit int, wait time.Duration) apiError {
	err := gatewayError(http.StatusBadRequest, "Throttling.User", "Request was denied due to user flow control.")
	err.limit, err.retryAfter = limit, wait
	return err
}

// Errors of the service that several families share.
var (
	errInvalidParam   = serviceError(http.StatusBadRequest, "InvalidParam", "Parameter invalid.")
	errDomainNotFound = serviceError(http.StatusNotFound, "InvalidDomain.NotFound",
		"The domain provided does not exist in our records.")
	errIllegalOperation = serviceError(http.StatusForbidden, "IllegalOperation",
		"Illegal domain operate is not permitted.")
	errConfigExists   = serviceError(http.StatusBadRequest, "ConfigAlreadyExists", "Config has already exist.")
	errConfigNotFound = serviceError(http.StatusNotFound, "InvalidConfig.NotFound", "Config does not exist.")
	errDurationExceed = serviceError(http.StatusBadRequest, "Duration.Exceed",
		"StartTime needs to be within the last 7 days.")
	errEndMismatch = serviceError(http.StatusBadRequest, "InvalidEndTime.Mismatch",
		"Specified EndTime does not match the specified StartTime.")
	errInternal = serviceError(http.StatusInternalServerError, "InternalError",
		"The request processing has failed due to some unknown error.")
)

// errEmpty says that a mandatory parameter is there, but without a value.
func errEmpty(param string) apiError {
	return serviceError(http.StatusBadRequest, "MissingParameter", fmt.Sprintf(
		"The input parameter %q that is mandatory for processing this request is not supplied.", param))
}

// errMalformed says that a parameter cannot be read as what it should be, under a code of its own.
func errMalformed(param string) apiError {
	return serviceError(http.StatusBadRequest, "Invalid"+param+".Malformed",
		"Specified parameter "+param+" is not valid.")
}
