// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"net"
	"strconv"
	"sync"

	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/udp"
	udpserver "github.com/plgd-dev/go-coap/v3/udp/server"

	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
)

// socket is a go-coap server with the one UDP socket that it serves.
type socket struct {
	connection *coapnet.UDPConn
	server     *udpserver.Server
	over       sync.WaitGroup
}

func openSocket(family string, port uint16, opts ...udpserver.Option) (*socket, error) {
	any := map[string]string{"udp4": "0.0.0.0", "udp6": "::"}[family]
	where := net.JoinHostPort(any, strconv.Itoa(int(port)))
	connection, err := coapnet.NewListenUDP(family, where, coapnet.WithErrors(complain))
	if err != nil {
		return nil, err
	}
	k := &socket{connection: connection, server: udp.NewServer(opts...)}
	k.over.Add(1)
	go func() {
		defer k.over.Done()
		if err := k.server.Serve(connection); err != nil {
			complain(err)
		}
	}()
	return k, nil
}

func (k *socket) close() {
	k.server.Stop()
	_ = k.connection.Close() // also when it was stopped before it served
	k.over.Wait()
}

// place is where a socket is bound: go-coap's servers have one socket each.
type place struct {
	family string
	port   uint16
}

// sockets are all those of one server node, with the groups that it joined.
type sockets struct {
	config *start
	router *mux.Router
	ifi    *net.Interface
	open   map[place]*socket
	joined map[string]bool
}

// listen opens the server's port in each family of which it has addresses.
func listen(config *start, router *mux.Router) (*sockets, error) {
	ifi, err := interfaceOf(config)
	if err != nil {
		return nil, err
	}
	families, err := config.families()
	if err != nil {
		return nil, err
	}
	k := &sockets{config, router, ifi, map[place]*socket{}, map[string]bool{}}
	port := config.Port
	if port == 0 {
		port = defaultPort
	}
	for _, family := range families {
		if _, err := k.at(place{family, port}); err != nil {
			k.close()
			return nil, err
		}
	}
	return k, nil
}

// at is the socket bound to a place, which opens it when it is needed for the first time.
func (k *sockets) at(p place) (*socket, error) {
	if s := k.open[p]; s != nil {
		return s, nil
	}
	s, err := openSocket(p.family, p.port, options.WithMux(k.router), options.WithErrors(complain))
	if err == nil {
		k.open[p] = s
	}
	return s, err
}

// join returns false without an error when the node is a member already.
func (k *sockets) join(group *net.UDPAddr) (bool, error) {
	if k.joined[group.String()] {
		return false, nil
	}
	s, err := k.at(place{familyOf(group.IP), uint16(group.Port)})
	if err != nil {
		return false, err
	}
	// Two ports of one group are one membership of their sockets each.
	if err := s.connection.JoinGroup(k.ifi, &net.UDPAddr{IP: group.IP}); err != nil {
		return false, fmt.Errorf("%s: %w", group, err)
	}
	k.joined[group.String()] = true
	return true, nil
}

func (k *sockets) leave(group *net.UDPAddr) error {
	if !k.joined[group.String()] {
		return fmt.Errorf("no member of %s", group)
	}
	s := k.open[place{familyOf(group.IP), uint16(group.Port)}]
	if err := s.connection.LeaveGroup(k.ifi, &net.UDPAddr{IP: group.IP}); err != nil {
		return err
	}
	delete(k.joined, group.String())
	return nil
}

// groups are the present memberships.
func (k *sockets) groups() []string {
	var all []string
	for group := range k.joined {
		all = append(all, group)
	}
	return all
}

func (k *sockets) close() {
	for _, s := range k.open {
		s.close()
	}
	k.open = map[place]*socket{}
}
