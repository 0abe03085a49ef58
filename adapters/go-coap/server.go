// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/noresponse"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
)

// server is an application with resources on go-coap's UDP server and its router.
type server struct {
	config    *start
	out       *output
	sockets   *sockets
	mutex     sync.Mutex // guards the resources
	resources map[string]*resource
	router    *mux.Router
}

func complain(err error) { fmt.Fprintf(os.Stderr, "go-coap: %v\n", err) }

func newServer(config *start, out *output) (*server, error) {
	s := &server{config: config, out: out, resources: map[string]*resource{}}
	s.router = mux.NewRouter()
	s.router.SetErrorHandler(complain)
	all, err := config.Resources, error(nil)
	if all == nil {
		if all, err = standardTree(); err != nil {
			return nil, fmt.Errorf("standard resources: %w", err)
		}
	}
	for path, raw := range all {
		r, err := newResource(path, raw)
		if err != nil {
			return nil, fmt.Errorf("resources: %s: %w", path, err)
		}
		s.resources[path] = r
		handler := mux.HandlerFunc(func(w mux.ResponseWriter, m *mux.Message) { s.serve(r, w, m) })
		if err := s.router.Handle(path, handler); err != nil {
			return nil, fmt.Errorf("resources: %s: %w", path, err)
		}
	}
	return s, s.open()
}

// open makes the sockets and joins the groups of the configuration.
func (s *server) open() error {
	var err error
	if s.sockets, err = listen(s.config, s.router); err != nil {
		return err
	}
	for _, group := range s.config.Groups {
		if f := s.join(group); f != nil {
			s.sockets.close()
			return errors.New(f.why)
		}
	}
	return nil
}

func (s *server) stop() { s.sockets.close() }

func (s *server) command(verb string, arguments []argument) *failure {
	switch verb {
	case "set":
		return s.set(arguments)
	case "join":
		return withArgument(verb, "group", arguments, s.join)
	case "leave":
		return withArgument(verb, "group", arguments, s.leave)
	case "restart":
		if len(arguments) > 0 {
			return unsupported("restart: argument %q is not known", arguments[0].name)
		}
		return s.restart()
	}
	return unsupported("verb %q is not known", verb)
}

// withArgument calls |run| for a verb with exactly one argument.
func withArgument(verb, name string, arguments []argument, run func(string) *failure) *failure {
	for _, a := range arguments {
		if a.name != name {
			return unsupported("%s: argument %q is not known", verb, a.name)
		}
	}
	if len(arguments) != 1 {
		return badArgument("%s: exactly one %q is needed", verb, name)
	}
	return run(arguments[0].value)
}

func (s *server) join(text string) *failure {
	group, err := parseEndpoint(text)
	if err != nil {
		return badArgument("join: %v", err)
	}
	if !group.IP.IsMulticast() {
		return badArgument("join: %s is no group", text)
	}
	if group.Port == securePort {
		return refused("join: port %d is for DTLS", securePort)
	}
	joined, err := s.sockets.join(group)
	if err != nil {
		return refused("join: %v", err)
	}
	if joined {
		s.out.event(event{Event: "join", Peer: group.String(), Group: true})
	}
	return nil
}

func (s *server) leave(text string) *failure {
	group, err := parseEndpoint(text)
	if err != nil {
		return badArgument("leave: %v", err)
	}
	if err := s.sockets.leave(group); err != nil {
		return badArgument("leave: %v", err)
	}
	s.out.event(event{Event: "leave", Peer: group.String(), Group: true})
	return nil
}

func (s *server) set(arguments []argument) *failure {
	w, f := parseSetting(arguments)
	if f != nil {
		return f
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	r := s.resources[w.path]
	if r == nil {
		return badArgument("set: there is no resource %q", w.path)
	}
	changed, f := r.set(w)
	if changed && f == nil {
		s.changed(r, "set")
	}
	return f
}

// restart loses everything that is not configured, the stack's state included.
func (s *server) restart() *failure {
	s.sockets.close()
	s.out.event(event{Event: "restart"})
	s.mutex.Lock()
	for _, r := range s.resources {
		r.observers = map[string]*observer{}
		if r.reset() {
			s.sayState(r, "restart")
		}
	}
	s.mutex.Unlock()
	for _, group := range s.sockets.groups() {
		s.out.event(event{Event: "leave", Peer: group, Group: true})
	}
	if err := s.open(); err != nil {
		return refused("restart: %v", err)
	}
	return nil
}

func (s *server) sayState(r *resource, detail string) {
	e := event{Event: "state", Path: r.path, Detail: detail}
	if r.exists {
		e.Payload = fmt.Sprintf("%x", r.representation())
	}
	if r.settled != 0 {
		e.Code = codeText(r.settled)
	}
	s.out.event(e)
}

// changed tells Chorus and the observers; the mutex is held.
func (s *server) changed(r *resource, detail string) {
	s.sayState(r, detail)
	for _, o := range r.observers {
		o.wake()
	}
}

// describe makes the members of events that say which request is meant.
func describe(w mux.ResponseWriter, m *mux.Message) event {
	var e event
	e.describe(m.Message)
	e.Peer = endpointText(w.Conn().RemoteAddr())
	e.Path, _ = m.Options().Path()
	if e.Path == "" {
		e.Path = "/"
	}
	queries, _ := m.Queries()
	for i, query := range queries {
		e.Path += map[bool]string{true: "?", false: "&"}[i == 0] + query
	}
	cm := m.ControlMessage()
	e.Group = cm != nil && cm.Dst.IsMulticast()
	return e
}

// serve is the handler of all resources.
func (s *server) serve(r *resource, w mux.ResponseWriter, m *mux.Message) {
	e := describe(w, m)
	if e.Group && !r.servesGroups() {
		return // an application that is not for groups says nothing to them
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	o := s.execute(r, e, m)
	if e.Group && r.suppresses(o) && !(r.honoursNoResponse() && m.HasOption(message.NoResponse)) {
		s.sayWithheld(e, o, "default")
		return
	}
	r.answered = r.answered || o.code == codes.Content
	sequence := s.observe(r, o, w, m)
	if r.processing > 0 && !e.Group {
		s.respondLater(r, e, o, sequence, w, m)
		return
	}
	if r.honoursNoResponse() {
		if err := w.SetResponse(o.code, message.TextPlain, nil); err != nil {
			s.failed(err, e, o)
			return
		}
	}
	fill(w.Message(), r, o, sequence)
}

func (s *server) execute(r *resource, e event, m *mux.Message) outcome {
	var accept *uint16
	if format, err := m.Accept(); err == nil {
		number := uint16(format)
		accept = &number
	}
	if code := r.against(m.Code(), accept); code != 0 {
		return outcome{code: code}
	}
	e.Event = "execute"
	s.out.event(e)
	o := r.run(m.Code(), bodyOf(m.Message))
	if o.changed {
		s.changed(r, "request")
	}
	return o
}

func (s *server) sayWithheld(e event, o outcome, detail string) {
	e.Event, e.Code, e.Detail, e.Payload = "suppress", codeText(o.code), detail, ""
	s.out.event(e)
}

// failed is told why go-coap took no response.
func (s *server) failed(err error, e event, o outcome) {
	if errors.Is(err, noresponse.ErrMessageNotInterested) {
		s.sayWithheld(e, o, "no-response")
		return
	}
	complain(err)
}

// fill writes an outcome into a response; sequence < 0: no notification.
func fill(m *pool.Message, r *resource, o outcome, sequence int64) {
	m.SetCode(o.code)
	if o.payload != nil {
		m.SetBody(bytes.NewReader(o.payload))
	}
	if o.payload != nil && r.config.ContentFormat != nil {
		m.SetContentFormat(message.MediaType(*r.config.ContentFormat))
	}
	if sequence >= 0 {
		m.SetObserve(uint32(sequence) & 0xffffff)
	}
}

// respondLater answers as go-coap's applications do it: nothing from the handler, which makes the
// stack acknowledge a Confirmable request, and a message of its own when there is something to say.
func (s *server) respondLater(r *resource, e event, o outcome, sequence int64,
	w mux.ResponseWriter, m *mux.Message,
) {
	if r.honoursNoResponse() {
		if value, err := m.GetOptionUint32(message.NoResponse); err == nil {
			if err := noresponse.IsNoResponseCode(o.code, value); err != nil {
				s.failed(err, e, o)
				return
			}
		}
	}
	conn, token := w.Conn(), bytes.Clone(m.Token())
	time.AfterFunc(r.processing, func() {
		late := conn.AcquireMessage(conn.Context())
		defer conn.ReleaseMessage(late)
		late.SetToken(token)
		fill(late, r, o, sequence)
		if err := conn.WriteMessage(late); err != nil {
			complain(fmt.Errorf("response to %s: %w", e.Peer, err))
		}
	})
}

func interfaceOf(config *start) (*net.Interface, error) {
	ifi, err := net.InterfaceByName(config.Interface)
	if err != nil {
		return nil, fmt.Errorf("interface %q: %w", config.Interface, err)
	}
	return ifi, nil
}
