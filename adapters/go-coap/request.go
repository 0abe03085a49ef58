// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
)

const (
	groupPatience   = 20 * time.Second
	unicastPatience = 93 * time.Second
	payloadMax      = 1024
)

// wish is what a request command asks for.
type wish struct {
	id       string
	target   *target
	method   codes.Code
	kind     message.Type // Unset: go-coap's choice
	token    message.Token
	payload  []byte
	timeout  time.Duration
	hopLimit int
	observe  *uint32
	format   *uint32
	options  []message.Option
}

func (w *wish) group() bool { return w.target.address.IP.IsMulticast() }

// readers take one argument each.
var readers = map[string]func(w *wish, value string) error{
	"id": func(w *wish, value string) error {
		w.id = value
		return nil
	},
	"uri": func(w *wish, value string) (err error) {
		w.target, err = parseURI(value)
		return err
	},
	"type":    readType,
	"payload": func(w *wish, value string) error { return w.setPayload([]byte(value), nil) },
	"payload-hex": func(w *wish, value string) error {
		return w.setPayload(hex.DecodeString(value))
	},
	"token": readToken,
	"no-response": func(w *wish, value string) error {
		return w.addUint(message.NoResponse, value, 8)
	},
	"accept": func(w *wish, value string) error { return w.addUint(message.Accept, value, 16) },
	"content-format": func(w *wish, value string) (err error) {
		w.format, err = parseUint(value, 16)
		return err
	},
	"observe": func(w *wish, value string) (err error) {
		if w.observe, err = parseUint(value, 24); err == nil && *w.observe > 1 {
			err = fmt.Errorf("%q is neither 0 nor 1", value)
		}
		return err
	},
	"option": readOption,
	"timeout": func(w *wish, value string) (err error) {
		w.timeout, err = parseDuration(value)
		return err
	},
	"hop-limit": func(w *wish, value string) error {
		number, err := parseUint(value, 8)
		if err == nil {
			w.hopLimit = int(*number)
		}
		return err
	},
}

func parseUint(text string, bits int) (*uint32, error) {
	number, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return nil, fmt.Errorf("%q is no number of %d bits", text, bits)
	}
	short := uint32(number)
	return &short, nil
}

func (w *wish) setPayload(octets []byte, err error) error {
	switch {
	case err != nil:
		return err
	case w.payload != nil:
		return fmt.Errorf("there is a payload already")
	}
	w.payload = octets
	return nil
}

func (w *wish) addUint(number message.OptionID, text string, bits int) error {
	value, err := parseUint(text, bits)
	if err != nil {
		return err
	}
	buffer := make([]byte, 4)
	n, err := message.EncodeUint32(buffer, *value)
	w.options = append(w.options, message.Option{ID: number, Value: buffer[:n]})
	return err
}

func readType(w *wish, value string) error {
	known := map[string]message.Type{
		"auto": message.Unset, "NON": message.NonConfirmable, "CON": message.Confirmable,
	}
	kind, ok := known[value]
	if !ok {
		return fmt.Errorf("%q is none of auto, NON, CON", value)
	}
	w.kind = kind
	return nil
}

func readToken(w *wish, value string) error {
	token, err := hex.DecodeString(value)
	if err == nil && len(token) > message.MaxTokenSize {
		err = fmt.Errorf("%d octets are too many", len(token))
	}
	w.token = token
	return err
}

func readOption(w *wish, text string) error {
	name, value, found := strings.Cut(text, "=")
	number, err := parseUint(name, 16)
	if !found || err != nil {
		return fmt.Errorf("%q is not number=hex", text)
	}
	octets, err := hex.DecodeString(value)
	w.options = append(w.options, message.Option{ID: message.OptionID(*number), Value: octets})
	return err
}

func parseWish(arguments []argument) (*wish, *failure) {
	w := &wish{method: codes.GET, kind: message.Unset}
	for _, a := range arguments {
		if a.name == "method" {
			method, known := methods[a.value]
			if slices.Contains([]string{"FETCH", "PATCH", "iPATCH"}, a.value) {
				return nil, unsupported("request: go-coap has no method %s", a.value)
			}
			if !known {
				return nil, badArgument("request: method: %q is not known", a.value)
			}
			w.method = method
			continue
		}
		read, known := readers[a.name]
		if !known {
			return nil, unsupported("request: argument %q is not known", a.name)
		}
		if err := read(w, a.value); err != nil {
			return nil, badArgument("request: %s: %v", a.name, err)
		}
	}
	return w, w.check()
}

// check refuses what this program cannot mean; what go-coap allows is up to go-coap.
func (w *wish) check() *failure {
	switch {
	case w.id == "" || w.target == nil:
		return badArgument("request: id and uri are needed")
	case w.target.secure:
		return refused("request: there is no DTLS")
	case len(w.payload) > payloadMax:
		return &failure{"too-large", fmt.Sprintf("a payload of %d octets", len(w.payload))}
	case w.hopLimit != 0 && !w.group():
		return unsupported("request: go-coap sets the hop limit of group requests only")
	}
	if w.timeout == 0 {
		w.timeout = unicastPatience
		if w.group() {
			w.timeout = groupPatience
		}
	}
	return nil
}

// fillIn makes the message.
func (w *wish) fillIn(m *pool.Message) {
	m.SetCode(w.method)
	m.SetToken(w.token)
	if w.kind != message.Unset {
		m.SetType(w.kind)
	}
	for _, segment := range w.target.path {
		m.AddOptionString(message.URIPath, segment)
	}
	for _, query := range w.target.query {
		m.AddQuery(query)
	}
	for _, option := range w.options {
		m.AddOptionBytes(option.ID, option.Value)
	}
	if w.observe != nil {
		m.SetObserve(*w.observe)
	}
	if w.payload != nil {
		m.SetBody(bytes.NewReader(w.payload))
	}
	if w.format != nil {
		m.SetContentFormat(message.MediaType(*w.format))
	}
}

// pathText is the path with the query, as events have it.
func (t *target) pathText() string {
	text := "/" + strings.Join(t.path, "/")
	if len(t.query) > 0 {
		text += "?" + strings.Join(t.query, "&")
	}
	return text
}
