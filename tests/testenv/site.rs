//! A page for browsers: an HTTP server on loopback, and what a screenshot of it shows.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::testenv::{run, tool};

/// Waits until no other test runs a browser: each is a dozen processes.
pub fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An HTTP server of one page of two colours with a picture. It holds the picture back
/// until the test has seen enough; the page's load event and the screenshot wait for
/// it.
pub struct Site {
    pub address: SocketAddr,
    picture: Arc<Picture>,
}

#[derive(Default)]
struct Picture {
    wanted: AtomicBool,
    released: AtomicBool,
}

const PAGE: &str = "<body style='margin: 0; background: #c0ffee'>\
    <div style='width: 100px; height: 100px; background: #336699'></div>\
    <img src=/picture>";

impl Site {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let picture = Arc::<Picture>::default();
        let of_server = Arc::clone(&picture);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let picture = Arc::clone(&of_server);
                // The browser opens connections in advance, which cause errors.
                thread::spawn(move || answer(stream, &picture));
            }
        });
        Self { address, picture }
    }

    pub fn picture_is_wanted(&self) -> bool {
        self.picture.wanted.load(Ordering::SeqCst)
    }

    pub fn release(&self) {
        self.picture.released.store(true, Ordering::SeqCst);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.release();
    }
}

fn answer(mut stream: TcpStream, picture: &Picture) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let (status, page) = if request.starts_with(b"GET / ") {
        ("200 OK", PAGE)
    } else {
        if request.starts_with(b"GET /picture ") {
            picture.wanted.store(true, Ordering::SeqCst);
            while !picture.released.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
        }
        // A missing picture completes the page too.
        ("404 Not Found", "")
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}

/// Asserts that this screenshot of 320 by 240 shows the page: its two colours.
#[track_caller]
pub fn shows_the_page(png: &Path) {
    // The format: https://www.w3.org/TR/png-3/. Prints the size, and each colour that a
    // hundred pixels have (the picture that is missing has others).
    let read = "import collections, struct, sys, zlib
data, at, packed = sys.stdin.buffer.read(), 8, b''
assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
while at < len(data):
    length, kind = struct.unpack('>I4s', data[at:at + 8])
    chunk = data[at + 8:at + 8 + length]
    assert zlib.crc32(kind + chunk) == struct.unpack('>I', data[at + 8 + length:at + 12 + length])[0]
    if kind == b'IHDR':
        width, height, depth, colours, _, _, interlace = struct.unpack('>IIBBBBB', chunk)
        assert depth == 8 and colours in (2, 6) and not interlace
        size = {2: 3, 6: 4}[colours]
    if kind == b'IDAT':
        packed += chunk
    at += 12 + length
pixels, above, seen = zlib.decompress(packed), bytes(width * size), collections.Counter()
for at in range(0, len(pixels), width * size + 1):
    way, row = pixels[at], bytearray(pixels[at + 1:at + 1 + width * size])
    for i in range(len(row)):
        left, up = row[i - size] if i >= size else 0, above[i]
        corner = above[i - size] if i >= size else 0
        paeth = min((left, up, corner), key=lambda near: abs(left + up - corner - near))
        row[i] = row[i] + (0, left, up, (left + up) // 2, paeth)[way] & 255
    seen.update(bytes(row[i:i + 3]).hex() for i in range(0, len(row), size))
    above = row
print(width, height)
print(*sorted(colour for colour in seen if seen[colour] >= 100))";
    let mut python = Command::new(tool("python3"));
    let png = File::open(png).expect("a screenshot");
    let said = run(python.args(["-c", read]).stdin(png));
    assert_eq!(said, "320 240\n336699 c0ffee\n");
}
