{
  "targets": [
    {
      "target_name": "wiretype",
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/addon.c",
            "native/addon_crypto.c",
            "native/addon_monitor.c",
            "native/addon_source.c",
            "native/addon_system.c",
            "native/addon_tun.c",
            "native/addon_udp.c",
            "native/aead.c",
            "native/cipher.c",
            "native/coalesce.c",
            "native/flow.c",
            "native/handshake.c",
            "native/netlink.c",
            "native/pool.c",
            "native/seccomp.c",
            "native/split.c",
            "native/system.c",
            "native/tun.c",
            "native/udp.c",
            "native/udp_receive.c",
            "native/udp_send.c",
            "native/watch.c"
          ],
          "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
          "cflags!": ["-O3", "-w"],
          "cflags": ["-std=c17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fvisibility=hidden", "-fstack-protector-strong"],
          "ldflags": ["-Wl,-z,relro,-z,now"]
        }, {
          "type": "none"
        }]
      ]
    }
  ]
}
