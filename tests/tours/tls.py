"""Asks who it is over TLS of one version, and tells how that went.

Arguments: host:port, the file of the authority's certificate, the version (1.1, 1.2 or 1.3).
"""

import socket
import ssl
import sys

host, port = sys.argv[1].rsplit(":", 1)
version = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[sys.argv[3]]
context = ssl.create_default_context(cafile=sys.argv[2])
# So that what is refused is refused by the server, and not already here.
context.set_ciphers("ALL:@SECLEVEL=0")
context.minimum_version = context.maximum_version = version

WHO_AM_I = b"\x30\x1e\x02\x01\x01\x77\x19\x80\x171.3.6.1.4.1.4203.1.11.3"
try:
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as connection:
        connection.sendall(WHO_AM_I)
        answer = connection.recv(4096)
        print(connection.version(), "success" if b"\x0a\x01\x00" in answer else answer.hex())
except (ssl.SSLError, ConnectionError) as error:
    print(error)
    sys.exit(1)
