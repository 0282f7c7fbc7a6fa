"""A network of its own with one name server and one listener in it; a test puts a container beside them.

    python3 name_server.py PORT       as root; prints "ready", then each name asked for and each connection

Every name is 127.0.0.1. Ends with its standard input.
"""
import ctypes
import fcntl
import socket
import struct
import sys
import threading

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40
TYPE_A = 1


def enter_new_network():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP | IFF_RUNNING))


def answer_to(query):
    """RFC 1035, 4.1: header, the question as it was asked, and for an address of version 4 one record."""
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    labels, at = [], 0
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += 1 + question[at]
    is_a = struct.unpack("!H", question[-4:-2])[0] == TYPE_A
    record = struct.pack("!HHHIH4s", 0xC00C, TYPE_A, 1, 60, 4, socket.inet_aton("127.0.0.1")) if is_a else b""
    return ".".join(labels), query[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0) + question + record


def serve_names(names):
    while True:
        query, asker = names.recvfrom(512)
        name, answer = answer_to(query)
        print("asked", name, flush=True)
        names.sendto(answer, asker)


def serve_connections(listener):
    while True:
        connection, _ = listener.accept()
        print("connected", flush=True)
        connection.close()


def main(port):
    enter_new_network()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=serve_names, args=(names,), daemon=True).start()
    threading.Thread(target=serve_connections, args=(listener,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
