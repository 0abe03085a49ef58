// SPDX-License-Identifier: BSD-2-Clause

// Command adapter makes go-coap drivable: it speaks the protocol of docs/plugins.md on standard input
// and output, and go-coap's own API does everything that has to do with CoAP.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

const (
	stack   = "go-coap"
	module  = "github.com/plgd-dev/go-coap/v3"
	adapter = "1"
)

// node is what a role has to be able to do; stop gives all sockets back.
type node interface {
	command(verb string, arguments []argument) *failure
	stop()
}

// stackVersion is what the linker noted, so that it cannot differ from what was linked.
func stackVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return strings.TrimPrefix(m.Version, "v")
		}
	}
	return "unknown"
}

func newNode(s *start, out *output) (node, error) {
	switch {
	case s.Protocol != 1:
		return nil, fmt.Errorf("protocol %d is not known, only 1", s.Protocol)
	case s.Role == "server":
		if n, err := newServer(s, out); err != nil {
			return nil, err
		} else {
			return n, nil
		}
	case s.Role == "client":
		if n, err := newClient(s, out); err != nil {
			return nil, err
		} else {
			return n, nil
		}
	}
	return nil, fmt.Errorf("role %q is not known", s.Role)
}

// session is one conversation with Chorus.
type session struct {
	out  *output
	node node
}

func (c *session) start(raw json.RawMessage) (over bool, err error) {
	if c.node != nil {
		return false, errors.New("start: already started")
	}
	var s start
	if err = json.Unmarshal(raw, &s); err == nil {
		c.node, err = newNode(&s, c.out)
	}
	if err != nil {
		c.out.say("refused", err.Error())
		return true, err
	}
	c.out.say("ready", map[string]any{
		"protocol": 1, "stack": stack, "version": stackVersion(), "adapter": adapter,
	})
	return false, nil
}

func (c *session) command(m *incoming) error {
	if m.ID == nil || m.Command[0] != '{' {
		return errors.New("a command is an object and has an id")
	}
	var cmd command
	if err := json.Unmarshal(m.Command, &cmd); err != nil {
		c.out.reply(*m.ID, &failure{"bad-argument", err.Error()})
		return err
	}
	if c.node == nil {
		c.out.reply(*m.ID, &failure{"refused", "not started"})
		return nil
	}
	c.out.reply(*m.ID, c.node.command(cmd.Verb, cmd.Arguments))
	return nil
}

// line carries out one line of Chorus; over is true when it was the last.
func (c *session) line(text []byte) (over bool, err error) {
	if len(text) == 0 {
		return false, nil
	}
	var m incoming
	if err := json.Unmarshal(text, &m); err != nil {
		return false, fmt.Errorf("no line of the protocol: %w", err)
	}
	switch {
	case m.Stop:
		return true, nil
	case m.Start != nil:
		return c.start(m.Start)
	case m.Command != nil:
		return false, c.command(&m)
	}
	return false, errors.New("neither start, command nor stop")
}

func (c *session) run(in io.Reader) error {
	lines := newLineReader(in)
	for over := false; !over; {
		text, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil:
			over, err = c.line(text)
		case !errors.Is(err, errTooLong):
			return err
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "go-coap adapter: line %d: %v\n", lines.number, err)
		}
	}
	return nil
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(stackVersion())
		return
	}
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "usage: adapter [--version]")
		os.Exit(2)
	}
	c := session{out: newOutput(os.Stdout)}
	err := c.run(os.Stdin)
	if c.node != nil {
		c.node.stop()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "go-coap adapter: %v\n", err)
		os.Exit(1)
	}
}
