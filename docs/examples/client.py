#!/usr/bin/env python3
"""A client of the ButterFly Bot bus in one file, written from docs/protocol.md and the standard library alone.

    client.py                  the state of each worker, then an answer to "hello"
    client.py status           the state of each worker
    client.py say TEXT...      the answer to TEXT, as it comes

Exit codes: 0 all went well, 1 the call failed, 2 there is no kernel, or it is no kernel that this client understands.
"""

import os
import socket
import struct
import sys

# "Frame", "Header", "Kinds", "Flags"
FRAME_LIMIT = 1 << 20
HEADER = struct.Struct("<BBHHHIIIIQQIIQ")
REQUEST, RESPONSE, ITEM, END, CREDIT, CANCEL, EVENT = range(7)
ERROR, BACKGROUND, MORE, FROM_CALLER = 1, 2, 4, 8

# "Services and methods"
CONTROL, SESSION = 0, 1
HELLO, STATUS = 1, 2
SEND = 1

# "Credit": how many items are asked for at first, and how many more each time half of them are read.
WINDOW = 32


class Failure(Exception):
    """A call failed: the payload of a frame with the error flag."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Stranger(Exception):
    """What answers is no kernel, or has ended."""


# --- "Where the socket is" ---------------------------------------------------------------------------------------


def place():
    """The socket and the token of this user's kernel."""
    home = os.environ.get("BUTTERFLY_HOME")
    session = os.environ.get("XDG_RUNTIME_DIR")
    if home:
        runtime = os.path.join(home, "run")
    elif session:
        runtime = os.path.join(session, "butterfly")
    else:
        state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.environ["HOME"], ".local/state")
        runtime = os.path.join(state, "butterfly", "run")
    path = os.path.join(runtime, "kernel.sock")
    if len(os.fsencode(path)) > 100:
        digest = 0xCBF29CE484222325
        for byte in os.fsencode(path):
            digest = ((digest ^ byte) * 0x100000001B3) % (1 << 64)
        path = os.path.join(session or "/tmp", f"butterfly-{digest:016x}", "kernel.sock")
    # In a shared folder a stranger may have been there first.
    if os.lstat(os.path.dirname(path)).st_uid != os.stat(runtime).st_uid:
        raise Stranger(f"{os.path.dirname(path)} belongs to somebody else")
    return path, os.path.join(runtime, "token")


# --- "Payloads" --------------------------------------------------------------------------------------------------


def integer(value):
    """Any unsigned integer but u8."""
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfb" + struct.pack("<H", value)
    if value < 1 << 32:
        return b"\xfc" + struct.pack("<I", value)
    return b"\xfd" + struct.pack("<Q", value)


def string(text):
    data = text.encode()
    return integer(len(data)) + data


def optional(value, encode):
    return b"\0" if value is None else b"\1" + encode(value)


class Reader:
    """Takes a payload apart, from its front to its end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Stranger("a payload ends before its message does")
        part = self.data[self.at : self.at + count]
        self.at += count
        return part

    def integer(self):
        first = self.take(1)[0]
        if first < 251:
            return first
        layout = {251: "<H", 252: "<I", 253: "<Q"}.get(first)
        if layout is None:
            raise Stranger(f"no integer begins with {first}")
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def signed(self):
        folded = self.integer()
        return (folded >> 1) ^ -(folded & 1)

    def boolean(self):
        return bool(self.take(1)[0])

    def string(self):
        return self.take(self.integer()).decode()

    def bytes(self):
        return self.take(self.integer())

    def list(self, element):
        return [element() for _ in range(self.integer())]

    def optional(self, element):
        return element() if self.take(1)[0] else None

    def end(self):
        if self.at != len(self.data):
            raise Stranger("bytes are left over after a message")


# --- "Messages of service 0" -------------------------------------------------------------------------------------


def hello(token):
    return b"BFLY" + struct.pack("<HHB", 1, 1, 0) + token


def read_endpoint(reader):
    return f"{reader.integer()}.{reader.integer()}"


def read_welcome(reader):
    version = reader.integer()
    endpoint = read_endpoint(reader)
    kernel_version = reader.string()
    if version != 1 or reader.integer() != 0:
        raise Stranger("the kernel takes this client for something else")
    return endpoint, kernel_version


def read_failure(reader):
    code, message, _detail = reader.integer(), reader.string(), reader.bytes()
    return Failure(code, message)


def read_state(reader):
    number = reader.integer()
    if number == 4:
        return f"backoff ({reader.integer()} ms)"
    if number == 5:
        return f"held ({reader.string()})"
    return ["starting", "ready", "draining", "stopped"][number]


def read_confinement(reader):
    grade = ["full", "reduced", "none"][reader.integer()]
    reader.integer()  # landlock_abi
    reader.boolean(), reader.boolean(), reader.boolean()  # landlock, seccomp, no_new_privs
    reader.string()  # network
    missing = reader.list(reader.string)
    return grade, missing


def read_worker(reader):
    worker = {"name": reader.string(), "endpoint": read_endpoint(reader), "state": read_state(reader)}
    for field in (
        "pid generation restarts uptime_ms rss_bytes cpu_ms in_flight oldest_in_flight_ms queue_bytes "
        "messages_in messages_out violations"
    ).split():
        worker[field] = reader.integer()
    worker["confinement"], worker["missing"] = read_confinement(reader)
    worker["instance_of"] = reader.string()
    return worker


def read_status(reader):
    kernel = {"pid": reader.integer(), "version": reader.string()}
    for field in ("uptime_ms", "rss_bytes", "cpu_ms"):
        kernel[field] = reader.integer()
    kernel["socket"] = reader.string()
    kernel["clients"] = reader.integer()
    kernel["warnings"] = reader.list(reader.string)
    return kernel, reader.list(lambda: read_worker(reader))


# --- "Service 1, session" ----------------------------------------------------------------------------------------


def send_request(text, conversation=None, model=None):
    at_the_end, saved = integer(0), bytes([0])
    return optional(conversation, integer) + string(text) + at_the_end + saved + optional(model, string)


def read_turn_item(reader):
    number = reader.integer()
    if number == 0:
        return "started", {name: reader.integer() for name in ("conversation", "turn", "trace", "message")}
    if number in (1, 2, 3):
        return ["thinking", "text", "notice"][number - 1], reader.string()
    if number == 4:
        names = "input_tokens output_tokens first_token_ms generation_ms load_ms context_tokens".split()
        usage = {name: reader.integer() for name in names}
        usage["estimated"] = reader.boolean()
        return "usage", usage
    if number == 5:
        return "needs_secret", {"name": reader.string(), "why": reader.string()}
    raise Stranger(f"no item of a turn has number {number}")


def read_turn_end(reader):
    return ["complete", "length", "stopped"][reader.integer()], reader.string()


# --- The connection ----------------------------------------------------------------------------------------------


class Client:
    """One connection, one call at a time."""

    def __init__(self, path, token):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        # A refusal carries correlation id 0, and so does this Hello.
        self.correlation = 0
        self.write(REQUEST, hello(token), CONTROL, HELLO)
        _, flags, payload = self.read()
        self.endpoint, self.kernel_version = closed(flags, payload, read_welcome)

    def write(self, kind, payload=b"", service=0, method=0, credit=0):
        header = HEADER.pack(
            kind, FROM_CALLER, service, method, 0, 0, 0, 0, 0, self.correlation, 0, 0, credit, 0
        )
        self.socket.sendall(struct.pack("<I", len(header) + len(payload)) + header + payload)

    def read(self):
        """The next frame of the open call: kind, flags, payload."""
        while True:
            length = struct.unpack("<I", self.exactly(4))[0]
            if not HEADER.size <= length <= FRAME_LIMIT:
                raise Stranger(f"no frame has {length} bytes")
            body = self.exactly(length)
            kind, flags, *_, correlation, _parent, _deadline, _credit, _trace = HEADER.unpack_from(body)
            # Whatever belongs to no open call is late, and late is no fault.
            if kind in (RESPONSE, ITEM, END) and correlation == self.correlation:
                return kind, flags, body[HEADER.size :]

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise Stranger("the connection ended")
            data += part
        return data

    def call(self, service, method, payload, read):
        """A unary call."""
        self.correlation += 1
        self.write(REQUEST, payload, service, method)
        _, flags, payload = self.read()
        return closed(flags, payload, read)

    def stream(self, service, method, payload, read_item, read_end):
        """A streaming call: yields its items, returns what it ends with. Closing the generator cancels the call."""
        self.correlation += 1
        self.write(REQUEST, payload, service, method, credit=WINDOW)
        taken, over = 0, False
        try:
            while True:
                kind, flags, payload = self.read()
                if kind == END:
                    over = True
                    return closed(flags, payload, read_end)
                taken += 1
                if taken == WINDOW // 2:
                    self.write(CREDIT, credit=taken)
                    taken = 0
                yield whole(payload, read_item)
        finally:
            if not over:
                self.write(CANCEL)


def whole(payload, read):
    reader = Reader(payload)
    value = read(reader)
    reader.end()
    return value


def closed(flags, payload, read):
    if flags & ERROR:
        raise whole(payload, read_failure)
    return whole(payload, read)


def show_status(client):
    kernel, workers = client.call(CONTROL, STATUS, b"", read_status)
    print(f"kernel {kernel['version']}, process {kernel['pid']}, up {kernel['uptime_ms'] / 1000:.1f} s")
    for warning in kernel["warnings"]:
        print(f"  warning: {warning}")
    for worker in workers:
        confined = " ".join([worker["confinement"], *worker["missing"]])
        print(f"{worker['name']:10} {worker['endpoint']:6} {worker['state']}  process {worker['pid']}  {confined}")


def say(client, text):
    turn = client.stream(SESSION, SEND, send_request(text), read_turn_item, read_turn_end)
    while True:
        try:
            kind, value = next(turn)
        except StopIteration as end:
            reason, model = end.value
            print(f"\n[{reason}, {model}]")
            return
        if kind == "text":
            print(value, end="", flush=True)
        elif kind == "notice":
            print(f"[{value}]", file=sys.stderr)
        elif kind == "needs_secret":
            print(f"[{value['why']} Set it: butterfly secret set {value['name']}]", file=sys.stderr)


def main(arguments):
    try:
        path, token_path = place()
        with open(token_path, "rb") as file:
            client = Client(path, file.read())
        if arguments[:1] != ["say"]:
            show_status(client)
        if arguments[:1] != ["status"]:
            say(client, " ".join(arguments[1:]) or "hello")
    except Failure as failure:
        print(f"client.py: {failure} (code {failure.code})", file=sys.stderr)
        return 1
    except (OSError, KeyError, Stranger) as fault:
        print(f"client.py: no kernel to talk to: {fault!r}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
