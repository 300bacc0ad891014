package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/bufferv2"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	nicID        = 1
	queuePackets = 1024
	// What tsnet gives its connections.
	receiveBytes = 8 << 20
	sendBytes    = 6 << 20
)

// openStack returns a host with one IPv4 address, and the TUN through which its packets pass.
func openStack(address []byte, mtu int) (*stack.Stack, tun.Device) {
	network := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, icmp.NewProtocol4},
		HandleLocal:        true,
	})
	sack := tcpip.TCPSACKEnabled(true)
	cubic := tcpip.CongestionControlOption("cubic")
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.DefaultReceiveBufferSize, Max: receiveBytes}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.DefaultSendBufferSize, Max: sendBytes}
	for _, option := range []tcpip.SettableTransportProtocolOption{&sack, &cubic, &receive, &send} {
		checkTcpip(network.SetTransportProtocolOption(tcp.ProtocolNumber, option))
	}
	link := channel.New(queuePackets, uint32(mtu), "")
	checkTcpip(network.CreateNIC(nicID, link))
	own := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.Address(address).WithPrefix()}
	checkTcpip(network.AddProtocolAddress(nicID, own, stack.AddressProperties{}))
	network.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nicID}})
	events := make(chan tun.Event, 1)
	events <- tun.EventUp
	return network, &stackTun{link: link, mtu: mtu, events: events}
}

// stackTun hands packets between the device and the stack.
type stackTun struct {
	link   *channel.Endpoint
	mtu    int
	events chan tun.Event
}

func (t *stackTun) Read(buffer []byte, offset int) (int, error) {
	packet := t.link.ReadContext(context.Background())
	if packet.IsNil() {
		return 0, os.ErrClosed
	}
	defer packet.DecRef()
	n := offset
	for _, part := range packet.AsSlices() {
		n += copy(buffer[n:], part)
	}
	return n - offset, nil
}

func (t *stackTun) Write(buffer []byte, offset int) (int, error) {
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: bufferv2.MakeWithData(buffer[offset:])})
	defer packet.DecRef()
	t.link.InjectInbound(ipv4.ProtocolNumber, packet)
	return len(buffer) - offset, nil
}

func (t *stackTun) File() *os.File         { return nil }
func (t *stackTun) Flush() error           { return nil }
func (t *stackTun) MTU() (int, error)      { return t.mtu, nil }
func (t *stackTun) Name() (string, error)  { return "gvisor", nil }
func (t *stackTun) Events() chan tun.Event { return t.events }
func (t *stackTun) Close() error           { return nil }

func checkTcpip(err tcpip.Error) {
	if err != nil {
		check(errors.New(fmt.Sprint(err)))
	}
}
