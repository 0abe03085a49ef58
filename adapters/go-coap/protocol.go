// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
)

// maxLine is the longest line of the protocol, in octets.
const maxLine = 256 * 1024

// incoming is any line of Chorus.
type incoming struct {
	Start   json.RawMessage `json:"start"`
	Command json.RawMessage `json:"command"`
	ID      *int64          `json:"id"`
	Stop    bool            `json:"stop"`
}

type command struct {
	Verb      string     `json:"verb"`
	Arguments []argument `json:"arguments"`
}

// argument is a pair of name and value, as [name, value].
type argument struct{ name, value string }

func (a *argument) UnmarshalJSON(text []byte) error {
	var pair []string
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("an argument has a name and a value, not %d members", len(pair))
	}
	*a = argument{pair[0], pair[1]}
	return nil
}

// start holds what this adapter makes use of; times are nanoseconds.
type start struct {
	Protocol      int                        `json:"protocol"`
	Name          string                     `json:"name"`
	Role          string                     `json:"role"`
	Addresses     []string                   `json:"addresses"`
	Interface     string                     `json:"interface"`
	Port          uint16                     `json:"port"`
	Groups        []string                   `json:"groups"`
	Resources     map[string]json.RawMessage `json:"resources"`
	GroupHopLimit int                        `json:"group_hop_limit"`
}

// families are the networks, as package net calls them, of the node's own addresses.
func (s *start) families() ([]string, error) {
	var v4, v6 bool
	for _, text := range s.Addresses {
		ip := net.ParseIP(withoutZone(text))
		if ip == nil {
			return nil, fmt.Errorf("addresses: %q is no address", text)
		}
		v4, v6 = v4 || ip.To4() != nil, v6 || ip.To4() == nil
	}
	switch {
	case v4 && v6:
		return []string{"udp6", "udp4"}, nil
	case v4:
		return []string{"udp4"}, nil
	case v6:
		return []string{"udp6"}, nil
	}
	return nil, fmt.Errorf("addresses: there is none")
}

// ownAddress is the first address of a family: the one that others use.
func (s *start) ownAddress(family string) net.IP {
	for _, text := range s.Addresses {
		ip := net.ParseIP(withoutZone(text))
		if familyOf(ip) == family {
			return ip
		}
	}
	return nil
}

func familyOf(ip net.IP) string {
	if ip.To4() != nil {
		return "udp4"
	}
	return "udp6"
}

// failure says why a command was not carried out; nil is success.
type failure struct{ status, why string }

func unsupported(format string, values ...any) *failure {
	return &failure{"unsupported", fmt.Sprintf(format, values...)}
}

func badArgument(format string, values ...any) *failure {
	return &failure{"bad-argument", fmt.Sprintf(format, values...)}
}

func refused(format string, values ...any) *failure {
	return &failure{"refused", fmt.Sprintf(format, values...)}
}

// event has the members of docs/events.md; empty ones are left out.
type event struct {
	Event     string `json:"event"`
	Request   string `json:"request,omitempty"`
	Peer      string `json:"peer,omitempty"`
	Path      string `json:"path,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Group     bool   `json:"group,omitempty"`
	Type      string `json:"type,omitempty"`
	Code      string `json:"code,omitempty"`
	MID       *int32 `json:"mid,omitempty"`
	Token     string `json:"token,omitempty"`
	Payload   string `json:"payload,omitempty"`
	TimeoutNS int64  `json:"timeout_ns,omitempty"`
}

// describe fills in what is known of the message that an event is about.
func (e *event) describe(m *pool.Message) {
	if mid := m.MessageID(); mid >= 0 { // a response put together from blocks has none
		e.MID = &mid
	}
	e.Token = hex.EncodeToString(m.Token())
	e.Type, e.Code = typeText(m.Type()), codeText(m.Code())
	e.Payload = hex.EncodeToString(bodyOf(m))
}

func bodyOf(m *pool.Message) []byte {
	octets, err := m.ReadBody()
	if err != nil {
		return nil
	}
	return octets
}

func typeText(t message.Type) string {
	switch t {
	case message.Confirmable:
		return "CON"
	case message.NonConfirmable:
		return "NON"
	case message.Acknowledgement:
		return "ACK"
	case message.Reset:
		return "RST"
	}
	return ""
}

func codeText(c codes.Code) string {
	switch c {
	case codes.GET:
		return "GET"
	case codes.POST:
		return "POST"
	case codes.PUT:
		return "PUT"
	case codes.DELETE:
		return "DELETE"
	case 5:
		return "FETCH"
	case 6:
		return "PATCH"
	case 7:
		return "iPATCH"
	}
	return fmt.Sprintf("%d.%02d", c>>5, c&0x1f)
}

// output writes whole lines, from any goroutine.
type output struct {
	mutex sync.Mutex
	out   *bufio.Writer
}

func newOutput(w io.Writer) *output { return &output{out: bufio.NewWriter(w)} }

func (o *output) line(members any) {
	text, err := json.Marshal(members)
	if err != nil {
		fmt.Fprintf(os.Stderr, "go-coap adapter: %v\n", err)
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, _ = o.out.Write(append(text, '\n'))
	_ = o.out.Flush() // when Chorus is gone end of file will come, too
}

func (o *output) say(name string, value any) { o.line(map[string]any{name: value}) }

func (o *output) event(e event) { o.say("event", e) }

func (o *output) reply(id int64, f *failure) {
	members := map[string]any{"reply": id, "status": "ok"}
	if f != nil {
		members["status"], members["why"] = f.status, f.why
	}
	o.line(members)
}

// errTooLong is a line that was skipped.
var errTooLong = errors.New("a line of more than 256 KiB")

// lineReader counts lines, so that complaints can name them.
type lineReader struct {
	in     *bufio.Reader
	number int
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, maxLine+1)}
}

func (l *lineReader) next() ([]byte, error) {
	l.number++
	text, err := l.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSpace(text), err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.in.ReadSlice('\n')
	}
	if err == nil {
		err = errTooLong
	}
	return nil, err
}
