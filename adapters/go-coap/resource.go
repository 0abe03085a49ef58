// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// resourceConfig is a member of "resources" in the start message.
type resourceConfig struct {
	Kind          string   `json:"kind"`
	Methods       []string `json:"methods"`
	Payload       string   `json:"payload"`
	ContentFormat *uint16  `json:"content_format"`
	Suppress      []string `json:"suppress"`
	NoResponse    *bool    `json:"no_response"`
	Multicast     *bool    `json:"multicast"`
	ProcessingNS  int64    `json:"processing_ns"`
	Code          string   `json:"code"`
	Observable    bool     `json:"observable"`
}

// resource is what the application keeps; the server's mutex guards it.
type resource struct {
	path       string
	config     resourceConfig
	methods    map[codes.Code]bool
	initial    []byte
	payload    []byte
	count      uint64
	exists     bool
	answered   bool       // a 2.05 has been given
	settled    codes.Code // what every request gets; 0: what it deserves
	fixed      codes.Code // the same, of the configuration
	observers  map[string]*observer
	sequence   uint32
	processing time.Duration
}

// outcome is a response to be.
type outcome struct {
	code    codes.Code
	payload []byte
	changed bool
}

var kindMethods = map[string][]string{
	"state": {"GET", "PUT"}, "counter": {"GET", "POST"}, "fixed": {"GET", "POST", "PUT", "DELETE"},
}

func newResource(path string, raw json.RawMessage) (*resource, error) {
	r := &resource{path: path, observers: map[string]*observer{}}
	if err := json.Unmarshal(raw, &r.config); err != nil {
		return nil, err
	}
	if r.config.Kind == "" {
		r.config.Kind = "state"
	}
	usual, known := kindMethods[r.config.Kind]
	if !known {
		return nil, fmt.Errorf("kind %q is not known", r.config.Kind)
	}
	if len(r.config.Methods) == 0 {
		r.config.Methods = usual
	}
	var err error
	if r.initial, err = hex.DecodeString(r.config.Payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if r.config.Kind == "fixed" {
		if r.fixed, err = parseCode(r.config.Code); err != nil {
			return nil, fmt.Errorf("code: %w", err)
		}
	}
	r.processing = time.Duration(r.config.ProcessingNS)
	r.methods = map[codes.Code]bool{}
	for _, name := range r.config.Methods {
		r.methods[methods[name]] = true // FETCH and its kin: go-coap has no such codes
	}
	r.reset()
	return r, nil
}

// reset is what a restart does to a representation; it says whether that changed anything.
func (r *resource) reset() bool {
	before, existed, settled := r.representation(), r.exists, r.settled
	r.payload, r.exists, r.settled, r.answered = r.initial, true, r.fixed, false
	r.count, _ = strconv.ParseUint(string(r.initial), 10, 64)
	return !existed || settled != r.settled || !bytes.Equal(before, r.representation())
}

func (r *resource) representation() []byte {
	if r.config.Kind == "counter" {
		return strconv.AppendUint(nil, r.count, 10)
	}
	return r.payload
}

func (r *resource) honoursNoResponse() bool {
	return r.config.NoResponse == nil || *r.config.NoResponse
}

func (r *resource) servesGroups() bool { return r.config.Multicast == nil || *r.config.Multicast }

// against says what speaks against running a method at all, or 0.
func (r *resource) against(method codes.Code, accept *uint16) codes.Code {
	switch {
	case !r.methods[method]:
		return codes.MethodNotAllowed
	case !r.exists && method != codes.PUT && method != codes.DELETE:
		return codes.NotFound
	case method == codes.GET && accept != nil && r.config.ContentFormat != nil &&
		*accept != *r.config.ContentFormat:
		return codes.NotAcceptable
	}
	return 0
}

func (r *resource) run(method codes.Code, payload []byte) outcome {
	switch {
	case r.settled != 0:
		return outcome{code: r.settled, payload: r.representation()}
	case method == codes.GET:
		return outcome{code: codes.Content, payload: r.representation()}
	case r.config.Kind == "counter":
		r.count++
		return outcome{code: codes.Changed, changed: true}
	case method == codes.DELETE:
		existed := r.exists
		r.exists, r.payload = false, nil
		return outcome{code: codes.Deleted, changed: existed}
	case method == codes.POST:
		payload = append(bytes.Clone(r.payload), payload...)
	}
	return r.replace(payload)
}

func (r *resource) replace(payload []byte) outcome {
	if !r.exists {
		r.exists, r.payload = true, payload
		return outcome{code: codes.Created, changed: true}
	}
	changed := !bytes.Equal(r.payload, payload)
	r.payload = payload
	return outcome{code: codes.Changed, changed: changed}
}

// suppresses applies the resource's default suppression for group requests.
func (r *resource) suppresses(o outcome) bool {
	class := fmt.Sprintf("%dxx", o.code>>5)
	for _, what := range r.config.Suppress {
		if what == class {
			return true
		}
		empty := what == "empty-2.05" && o.code == codes.Content && len(o.payload) == 0
		if empty && !r.answered {
			return true
		}
	}
	return false
}

// setting is what a set command asks for; nil is to stay as it is.
type setting struct {
	path    string
	payload []byte
	code    *codes.Code // 0: what the configuration says
}

func parseSetting(arguments []argument) (*setting, *failure) {
	w := &setting{}
	for _, a := range arguments {
		var err error
		var code codes.Code
		switch {
		case a.name == "path":
			w.path = a.value
		case a.name == "payload":
			w.payload = []byte(a.value)
		case a.name == "payload-hex":
			w.payload, err = hex.DecodeString(a.value)
		case a.name == "code" && a.value == "auto":
			w.code = &code
		case a.name == "code":
			code, err = parseCode(a.value)
			w.code = &code
		default:
			return nil, unsupported("set: argument %q is not known", a.name)
		}
		if err != nil {
			return nil, badArgument("set: %s: %v", a.name, err)
		}
	}
	return w, nil
}

// set is the application changing its resource.
func (r *resource) set(w *setting) (changed bool, f *failure) {
	before, existed, settled := r.representation(), r.exists, r.settled
	if w.payload != nil && r.config.Kind == "counter" {
		count, err := strconv.ParseUint(string(w.payload), 10, 64)
		if err != nil {
			return false, badArgument("set: payload: a counter is a decimal number")
		}
		r.count = count
	}
	if w.payload != nil {
		r.payload, r.exists = w.payload, true
	}
	if w.code != nil {
		r.settled = *w.code
		if r.settled == 0 {
			r.settled = r.fixed
		}
	}
	return existed != r.exists || settled != r.settled || !bytes.Equal(before, r.representation()), nil
}

// standardTree is what is served when the start message names no resources. The setup script puts it
// beside the program.
func standardTree() (map[string]json.RawMessage, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(program), "tree.json"))
	if err != nil {
		return nil, err
	}
	tree := map[string]json.RawMessage{}
	return tree, json.Unmarshal(text, &tree)
}
