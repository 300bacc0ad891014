/** Counts of all that the NAT did since it began. */
export interface NatCounters {
  tcpFlows: number;
  tcpRefused: number;
  tcpLimited: number;
  tcpEvicted: number;
  udpMappings: number;
  udpLimited: number;
  udpEvicted: number;
  /** Datagrams from addresses that the device never wrote to. */
  udpFiltered: number;
  echoesRefused: number;
  echoesEvicted: number;
  /** Flows that ended since policy no longer allows them. */
  judgedAgain: number;
  denied: number;
}

export function createNatCounters(): NatCounters {
  return {
    tcpFlows: 0,
    tcpRefused: 0,
    tcpLimited: 0,
    tcpEvicted: 0,
    udpMappings: 0,
    udpLimited: 0,
    udpEvicted: 0,
    udpFiltered: 0,
    echoesRefused: 0,
    echoesEvicted: 0,
    judgedAgain: 0,
    denied: 0,
  };
}
