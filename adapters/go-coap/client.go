// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/options"
	udpclient "github.com/plgd-dev/go-coap/v3/udp/client"
)

// idle is how long a connection to a server is kept without traffic. go-coap's own 16 s are meant for
// servers: they would end requests that are still waiting for their response.
const idle = 10 * time.Minute

// client sends group and unicast requests from one socket per address family. go-coap offers that
// with its UDP server: DiscoveryRequest for groups, NewConn and Do for single servers.
type client struct {
	config  *start
	out     *output
	ifi     *net.Interface
	sockets map[string]*socket
	mutex   sync.Mutex // guards |going|
	going   map[string]*exchange
	over    sync.WaitGroup
}

// exchange is a request whose application is still listening.
type exchange struct {
	*wish
	ctx    context.Context
	cancel context.CancelCauseFunc
}

var (
	errForgotten = errors.New("cancelled")
	errRestarted = errors.New("restart")
	errStopped   = errors.New("stopped")
)

func newClient(config *start, out *output) (*client, error) {
	ifi, err := interfaceOf(config)
	if err != nil {
		return nil, err
	}
	c := &client{config: config, out: out, ifi: ifi, going: map[string]*exchange{}}
	return c, c.open(config.Port)
}

func (c *client) open(port uint16) error {
	families, err := c.config.families()
	if err != nil {
		return err
	}
	c.sockets = map[string]*socket{}
	for _, family := range families {
		s, err := openSocket(family, port, options.WithErrors(complain),
			options.WithInactivityMonitor(idle, func(cc *udpclient.Conn) { _ = cc.Close() }))
		if err != nil {
			c.close()
			return err
		}
		c.sockets[family] = s
	}
	return nil
}

func (c *client) close() {
	for _, s := range c.sockets {
		s.close()
	}
}

func (c *client) stop() {
	c.end(errStopped)
	c.close()
}

// end makes all exchanges end for a reason and waits for that.
func (c *client) end(reason error) {
	c.mutex.Lock()
	for _, x := range c.going {
		x.cancel(reason)
	}
	c.mutex.Unlock()
	c.over.Wait()
}

func (c *client) command(verb string, arguments []argument) *failure {
	switch verb {
	case "request":
		w, f := parseWish(arguments)
		if f != nil {
			return f
		}
		return c.request(w)
	case "forget":
		return withArgument(verb, "of", arguments, c.forget)
	case "restart":
		return c.restart(arguments)
	}
	return unsupported("verb %q is not known", verb)
}

func (c *client) forget(id string) *failure {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	x := c.going[id]
	if x == nil {
		return badArgument("forget: there is no request %q", id)
	}
	x.cancel(errForgotten)
	return nil
}

func (c *client) restart(arguments []argument) *failure {
	port := c.config.Port
	for _, a := range arguments {
		if a.name != "port" {
			return unsupported("restart: argument %q is not known", a.name)
		}
		number, err := strconv.ParseUint(a.value, 10, 16)
		if err != nil {
			return badArgument("restart: port: %q is no port", a.value)
		}
		port = uint16(number)
	}
	c.end(errRestarted)
	c.close()
	c.out.event(event{Event: "restart"})
	if err := c.open(port); err != nil {
		return refused("restart: %v", err)
	}
	return nil
}

// request hands a request to go-coap, which works on it in a goroutine of its own.
func (c *client) request(w *wish) *failure {
	if isNarrow(w.target.address.IP) && w.target.address.Zone == "" {
		w.target.address.Zone = c.ifi.Name
	}
	s := c.sockets[familyOf(w.target.address.IP)]
	if s == nil {
		return refused("request: no address of the family of %s", w.target.address)
	}
	if w.token == nil {
		token, err := message.GetToken()
		if err != nil {
			return refused("request: %v", err)
		}
		w.token = token
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.going[w.id] != nil {
		return badArgument("request: %q is going on", w.id)
	}
	whole, cancel := context.WithCancelCause(context.Background())
	ctx, release := context.WithTimeout(whole, w.timeout)
	x := &exchange{w, ctx, cancel}
	c.going[w.id] = x
	c.over.Add(1)
	c.sayRequest(x)
	go func() {
		defer c.over.Done()
		defer release()
		err := c.exchange(s, x)
		c.finish(x, err)
	}()
	return nil
}

func (c *client) sayRequest(x *exchange) {
	e := event{
		Event: "request", Request: x.id, Peer: endpointText(x.target.address), Path: x.target.pathText(),
		Group: x.group(), Code: codeText(x.method), Token: x.token.String(),
		Payload: fmt.Sprintf("%x", x.payload), TimeoutNS: int64(x.timeout),
	}
	c.out.event(e)
}

func (c *client) deliver(x *exchange, peer net.Addr, m *pool.Message) {
	if x.ctx.Err() != nil {
		return // the application does not listen any more
	}
	e := event{Event: "deliver", Request: x.id, Group: x.group(), Path: x.target.pathText()}
	e.describe(m)
	e.Peer = endpointText(peer)
	c.out.event(e)
}

// finish says how an exchange ended; err is nil when a response was all that was wanted.
func (c *client) finish(x *exchange, err error) {
	detail := "answered"
	cause := context.Cause(x.ctx)
	switch {
	case err == nil && !x.group():
	case errors.Is(cause, context.DeadlineExceeded):
		detail = "timeout"
	case cause != nil:
		detail = cause.Error()
	default:
		detail = "refused"
		c.out.event(event{Event: "refused", Request: x.id, Detail: fmt.Sprint(err)})
	}
	c.mutex.Lock()
	delete(c.going, x.id)
	c.mutex.Unlock()
	c.out.event(event{Event: "done", Request: x.id, Detail: detail, Group: x.group()})
}

func (c *client) exchange(s *socket, x *exchange) error {
	switch {
	case x.group():
		return c.askGroup(s, x)
	case x.observe != nil && *x.observe == 0:
		return c.askToObserve(s, x)
	}
	return c.askServer(s, x)
}

// source is the address that a group request leaves from: without WithMulticastSource go-coap would
// send one from each address of the interface. Its hosts choose by scope (RFC 6724).
func (c *client) source(group net.IP) net.IP {
	if isNarrow(group) {
		addresses, _ := c.ifi.Addrs()
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && isNarrow(n.IP) {
				return n.IP
			}
		}
	}
	return c.config.ownAddress(familyOf(group))
}

func (c *client) askGroup(s *socket, x *exchange) error {
	m := pool.New(0, 0).AcquireMessage(x.ctx)
	m.SetType(message.NonConfirmable) // as Discover does it; x.kind, if given, comes after
	m.SetMessageID(message.GetMID())
	x.fillIn(m)
	how := []coapnet.MulticastOption{
		coapnet.WithMulticastInterface(*c.ifi),
		coapnet.WithMulticastSource(c.source(x.target.address.IP)),
	}
	limit := x.hopLimit
	if limit == 0 {
		limit = c.config.GroupHopLimit
	}
	if limit != 0 {
		how = append(how, coapnet.WithMulticastHoplimit(limit))
	}
	return s.server.DiscoveryRequest(m, x.target.address.String(),
		func(cc *udpclient.Conn, response *pool.Message) { c.deliver(x, cc.RemoteAddr(), response) },
		how...)
}

func (c *client) connect(s *socket, x *exchange) (*udpclient.Conn, *pool.Message, error) {
	cc, err := s.server.NewConn(x.target.address)
	if err != nil {
		return nil, nil, err
	}
	m := cc.AcquireMessage(x.ctx)
	x.fillIn(m)
	return cc, m, nil
}

func (c *client) askServer(s *socket, x *exchange) error {
	cc, m, err := c.connect(s, x)
	if err != nil {
		return err
	}
	defer cc.ReleaseMessage(m)
	response, err := cc.Do(m)
	if err != nil {
		return err
	}
	c.deliver(x, cc.RemoteAddr(), response)
	cc.ReleaseMessage(response)
	return nil
}

// askToObserve listens until the application's time is over or it forgets, and then cancels.
func (c *client) askToObserve(s *socket, x *exchange) error {
	cc, m, err := c.connect(s, x)
	if err != nil {
		return err
	}
	defer cc.ReleaseMessage(m)
	observation, err := cc.DoObserve(m, func(notification *pool.Message) {
		c.deliver(x, cc.RemoteAddr(), notification)
	})
	if err != nil {
		return err
	}
	if observation.Canceled() {
		return nil // the server did not add us to its list
	}
	<-x.ctx.Done()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := observation.Cancel(ctx); err != nil {
		complain(err)
	}
	return x.ctx.Err()
}
