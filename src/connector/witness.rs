//! One exchange with a witness of the record: bytes out, bytes in. What they say, and whether they
//! are to be believed, is not known here.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};

use super::ConnectorError;
use super::transport::Transport;

/// One exchange takes at most so long: a witness needs one write to its disk.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks witnesses.
#[derive(Debug, Clone)]
pub struct WitnessClient {
    transport: Transport,
}

/// What a witness answered.
#[derive(Debug, Clone)]
pub struct WitnessAnswer {
    /// The status line's code.
    pub status: u16,
    /// The media type as it was sent; empty if there was none.
    pub media_type: String,
    /// The body, of bounded length.
    pub body: Bytes,
}

impl WitnessClient {
    /// Prepares to ask.
    ///
    /// # Errors
    /// The machine has no usable root certificates.
    pub fn new() -> Result<Self, rustls::Error> {
        Ok(Self { transport: Transport::new(TIMEOUT)? })
    }

    /// Puts a checkpoint before the witness whose `add-checkpoint` is at this address. It can be
    /// tried again whatever happened: a witness that cosigned a tree cosigns it again.
    ///
    /// # Errors
    /// [`ConnectorError`] if no whole answer came.
    pub async fn add_checkpoint(
        &self,
        url: &str,
        request: Vec<u8>,
    ) -> Result<WitnessAnswer, ConnectorError> {
        let request = Request::post(url).body(request.into());
        let answer = self.transport.exchange(request).await?;
        let media_type = answer.headers.get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(WitnessAnswer {
            status: answer.status.as_u16(),
            media_type: media_type.to_owned(),
            body: answer.body,
        })
    }
}
