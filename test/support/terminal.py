"""Runs a command in a pseudo-terminal of its own: `terminal.py COLUMNS ROWS STREAMS COMMAND...`.

STREAMS are those of stdin, stdout and stderr that are the terminal, with commas; the others are pipes. What the command writes goes out as
lines of JSON, `["tty" | "stdout" | "stderr", base64]`, and at last `["exit", code]` (128 and its number for a signal). Lines come in:
`["type", text]`, `["resize", columns, rows]`.
"""

import base64
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

columns, rows, streams, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(','), sys.argv[4:]
NAMES = ['stdin', 'stdout', 'stderr']


def resize(columns, rows):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


def tell(*words):
    sys.stdout.write(json.dumps(words) + '\n')
    sys.stdout.flush()


master, slave = pty.openpty()
resize(columns, rows)
pipes = {name: os.pipe() for name in NAMES[1:] if name not in streams}

child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number, name in enumerate(NAMES):
        if name in streams:
            os.dup2(slave, number)
        elif name == 'stdin':
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        else:
            os.dup2(pipes[name][1], number)
    os.closerange(3, 64)
    os.execvp(command[0], command)

os.close(slave)
readers = {master: 'tty', 0: 'control'}
for name, (read, write) in pipes.items():
    os.close(write)
    readers[read] = name
pending = b''
while any(name != 'control' for name in readers.values()):
    for reader in select.select(list(readers), [], [])[0]:
        name = readers[reader]
        try:
            data = os.read(reader, 65536)
        except OSError:
            data = b''  # The last one that had the terminal open is gone.
        if data == b'':
            del readers[reader]
            if name == 'control':
                os.kill(child, signal.SIGKILL)
        elif name != 'control':
            tell(name, base64.b64encode(data).decode())
        else:
            *lines, pending = (pending + data).split(b'\n')
            for line in lines:
                action, *values = json.loads(line)
                if action == 'resize':
                    resize(*values)
                else:
                    os.write(master, values[0].encode())
tell('exit', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
