package main

import (
	"fmt"
	"io"
	"net"
	"strconv"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// serveSocks takes CONNECT to IPv4 addresses without authentication (RFC 1928).
func serveSocks(network *stack.Stack, listen string) {
	listener, err := net.Listen("tcp4", listen)
	check(err)
	fmt.Println("ready")
	for {
		client, err := listener.Accept()
		check(err)
		go serveClient(network, client.(*net.TCPConn))
	}
}

func serveClient(network *stack.Stack, client *net.TCPConn) {
	defer client.Close()
	greeting, request := make([]byte, 3), make([]byte, 10)
	if _, err := io.ReadFull(client, greeting); err != nil {
		return
	}
	client.Write([]byte{5, 0})
	if _, err := io.ReadFull(client, request); err != nil {
		return
	}
	port := strconv.Itoa(int(request[8])<<8 | int(request[9]))
	remote, err := dialOnce(network, net.JoinHostPort(net.IP(request[4:8]).String(), port))
	if err != nil {
		client.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer remote.Close()
	client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() {
		io.Copy(remote, client)
		remote.(*gonet.TCPConn).CloseWrite()
	}()
	io.Copy(client, remote)
}
