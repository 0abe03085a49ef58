// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"context"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
)

// notificationPatience is how long a notification may go without its ACK: MAX_TRANSMIT_WAIT.
const notificationPatience = 93 * time.Second

// observer is one entry of a list of observers (RFC 7641, section 4.1). go-coap leaves the list to
// the application, and so one goroutine per observer sends it what is new.
type observer struct {
	key   string
	conn  mux.Conn
	token []byte
	news  chan struct{}
	ended chan struct{}
}

func (o *observer) wake() {
	select {
	case o.news <- struct{}{}:
	default: // it has not yet taken what was new before
	}
}

// observe adds to the list of observers or takes from it; it returns the number for the Observe
// option of the response, -1 for none.
func (s *server) observe(r *resource, o outcome, w mux.ResponseWriter, m *mux.Message) int64 {
	wish, err := m.Observe()
	if err != nil || !r.config.Observable || m.Code() != codes.GET || o.code != codes.Content {
		return -1
	}
	entry := &observer{
		key:  w.Conn().RemoteAddr().String() + " " + m.Token().String(),
		conn: w.Conn(), token: bytes.Clone(m.Token()),
		news: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if old := r.observers[entry.key]; old != nil {
		delete(r.observers, entry.key)
		close(old.ended)
	}
	if wish != 0 {
		return -1
	}
	r.observers[entry.key] = entry
	go s.notifyAll(r, entry)
	r.sequence++
	return int64(r.sequence)
}

// notifyAll serves one observer until it is gone.
func (s *server) notifyAll(r *resource, o *observer) {
	for {
		select {
		case <-o.news:
			if s.notify(r, o) {
				continue
			}
		case <-o.conn.Context().Done():
		case <-o.ended:
			return
		}
		s.mutex.Lock()
		if r.observers[o.key] == o {
			delete(r.observers, o.key)
		}
		s.mutex.Unlock()
		return
	}
}

// notify sends the present state; false when that was the last notification.
func (s *server) notify(r *resource, o *observer) bool {
	s.mutex.Lock()
	now := outcome{code: codes.NotFound}
	if r.exists {
		now = r.run(codes.GET, nil)
	}
	r.sequence++
	sequence := int64(r.sequence)
	s.mutex.Unlock()
	ok := now.code>>5 == 2
	if !ok {
		sequence = -1
	}
	ctx, cancel := context.WithTimeout(o.conn.Context(), notificationPatience)
	defer cancel()
	m := o.conn.AcquireMessage(ctx)
	defer o.conn.ReleaseMessage(m)
	m.SetToken(o.token)
	fill(m, r, now, sequence)
	if err := o.conn.WriteMessage(m); err != nil {
		complain(err)
		return false
	}
	return ok
}
