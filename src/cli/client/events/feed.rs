//! The lines of an event stream (WHATWG HTML, section 9.2.6), from bytes as they arrive.

/// A longer event is none of a Keylend.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// An event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The data, its lines put together.
    pub(super) data: String,
}

/// The stream is longer between two ends of events than any event is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endless;

/// A stream that is being read.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Bytes of a line that has not ended.
    line: Vec<u8>,
    data: String,
    has_data: bool,
    id: Option<String>,
    /// The id of the last event, or of what the server has passed over.
    pub(super) last_id: Option<String>,
    /// How long to wait before asking again, in milliseconds, if the server said so.
    pub(super) retry_ms: Option<u64>,
}

impl Feed {
    /// Takes more bytes, and gives the events that they complete.
    ///
    /// # Errors
    /// [`Endless`] if an event is too long.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Told>, Endless> {
        let mut told = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                    return Err(Endless);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            told.extend(self.take_line(line.trim_end_matches('\r')));
        }
        Ok(told)
    }

    /// Forgets what has not ended, after the connection broke.
    pub(super) fn break_off(&mut self) {
        self.line.clear();
        self.data.clear();
        self.has_data = false;
        self.id = None;
    }

    fn take_line(&mut self, line: &str) -> Option<Told> {
        if line.is_empty() {
            // Only now the event is whole, and its id may be sent back.
            self.last_id = self.id.take().or(self.last_id.take());
            let data = std::mem::take(&mut self.data);
            return std::mem::take(&mut self.has_data).then_some(Told { data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            // It becomes a header.
            "id" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                self.id = Some(value.to_owned());
            }
            "retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: &str) -> Told {
        Told { data: data.to_owned() }
    }

    #[test]
    fn events_are_put_together_from_whatever_pieces_arrive() {
        let stream = "retry: 2000\n\n: a comment\nid: c1\nevent: grant.issued\ndata: {\"a\":\ndata: 1}\n\n\
                      id: c2\r\ndata:x\r\n\r\nid: c3\n\n";
        for size in [1, 3, 1000] {
            let mut feed = Feed::default();
            let pieces = stream.as_bytes().chunks(size);
            let all: Vec<Told> = pieces.flat_map(|piece| feed.push(piece).unwrap()).collect();
            assert_eq!(all, [told("{\"a\":\n1}"), told("x")]);
            assert_eq!((feed.last_id.as_deref(), feed.retry_ms), (Some("c3"), Some(2000)));
        }
    }

    #[test]
    fn an_event_that_was_cut_off_is_asked_for_again() {
        let mut feed = Feed::default();
        assert_eq!(feed.push(b"id: c1\ndata: 1\n\nid: c2\ndata: 2\n").unwrap(), [told("1")]);
        feed.break_off();
        assert_eq!(feed.last_id.as_deref(), Some("c1"));
        assert_eq!(feed.push(b"id: c2\ndata: 2\n\n").unwrap(), [told("2")]);
    }

    #[test]
    fn a_stream_that_never_ends_an_event_is_no_stream() {
        let mut feed = Feed::default();
        let line = [b"data: ".as_slice(), &[b'x'; 1000], b"\n"].concat();
        let ended = (0..2000).find_map(|_| feed.push(&line).err());
        assert_eq!(ended, Some(Endless));
        let mut feed = Feed::default();
        assert_eq!(feed.push(&vec![b'x'; EVENT_BYTES_MAX + 1]), Err(Endless));
    }

    #[test]
    fn an_id_that_could_be_no_header_is_passed_over() {
        let mut feed = Feed::default();
        feed.push("id: a\u{1b}b\ndata: 1\n\nid: é\ndata: 2\n\n".as_bytes()).unwrap();
        assert_eq!(feed.last_id, None);
    }
}
