// Gvisor is a host in a WireGuard network made of wireguard-go and gVisor's TCP/IP: the engine of wireproxy and tsnet, as a
// contender of the benchmarks. It builds in GOPATH mode from Debian's packages of both.
//
//	gvisor UAPI ADDRESS MTU from|to HOST:PORT SECONDS   moves bytes over one connection, as rootless-client.ts does
//	gvisor UAPI ADDRESS MTU answer HOST:PORT            connects once and then only answers echo requests
//	gvisor UAPI ADDRESS MTU socks LISTEN                a SOCKS5 proxy for CONNECT
//
// UAPI is a file with the configuration of the device as wireguard-go takes it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const chunkBytes = 128 << 10

// warmUp is not counted, as in the other programs.
const warmUp = time.Second

func main() {
	uapi, address, mtu := os.Args[1], net.ParseIP(os.Args[2]).To4(), os.Args[3]
	action, target := os.Args[4], os.Args[5]
	network, tun := openStack(address, number(mtu))
	configuration, err := os.Open(uapi)
	check(err)
	wireguard := device.NewDevice(tun, conn.NewDefaultBind(), device.NewLogger(device.LogLevelError, ""))
	check(wireguard.IpcSetOperation(configuration))
	check(wireguard.Up())

	switch action {
	case "from":
		move(dial(network, target), duration(os.Args[6]), net.Conn.Write)
	case "to":
		move(dial(network, target), duration(os.Args[6]), net.Conn.Read)
	case "answer":
		dial(network, target).Close()
		fmt.Println("ready")
		select {}
	case "socks":
		serveSocks(network, target)
	}
}

// dial tries again for as long as the tunnel has no session.
func dial(network *stack.Stack, target string) net.Conn {
	connection, err := dialOnce(network, target)
	for tries := 0; err != nil && tries < 20; tries++ {
		time.Sleep(100 * time.Millisecond)
		connection, err = dialOnce(network, target)
	}
	check(err)
	return connection
}

func dialOnce(network *stack.Stack, target string) (net.Conn, error) {
	to, err := net.ResolveTCPAddr("tcp4", target)
	check(err)
	within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	address := tcpip.FullAddress{NIC: nicID, Addr: tcpip.Address(to.IP.To4()), Port: uint16(to.Port)}
	return gonet.DialContextTCP(within, network, address, ipv4.ProtocolNumber)
}

// move prints "begin" after the warm-up, and "end BYTES SECONDS" at the end.
func move(connection net.Conn, seconds float64, step func(net.Conn, []byte) (int, error)) {
	buffer := make([]byte, chunkBytes)
	var bytes int
	var begin time.Time
	for start := time.Now(); begin.IsZero() || time.Since(begin) < time.Duration(seconds*float64(time.Second)); {
		if begin.IsZero() && time.Since(start) > warmUp {
			begin, bytes = time.Now(), 0
			fmt.Println("begin")
		}
		n, err := step(connection, buffer)
		check(err)
		bytes += n
	}
	fmt.Println("end", bytes, time.Since(begin).Seconds())
	connection.Close()
	select {} // the caller reads our processor time, and pings
}

func duration(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	check(err)
	return value
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gvisor:", err)
		os.Exit(1)
	}
}
