//! Bytes that are gathered in memory.

use bytes::{Bytes, BytesMut};

/// A chunk up to so many bytes is copied: each chunk that is kept takes memory besides its bytes, and some stores
/// and clients send very small ones.
const SMALL: usize = 16 << 10;
/// How much of such chunks is put together.
const BLOCK: usize = 64 << 10;

/// Chunks in their order.
#[derive(Default)]
pub(crate) struct Blocks {
    blocks: Vec<Bytes>,
    small: BytesMut,
}

impl Blocks {
    pub fn push(&mut self, chunk: Bytes) {
        if chunk.len() > SMALL {
            self.put_together();
            self.blocks.push(chunk);
            return;
        }
        self.small.extend_from_slice(&chunk);
        if self.small.len() >= BLOCK {
            self.put_together();
        }
    }

    pub fn into_vec(mut self) -> Vec<Bytes> {
        self.put_together();
        self.blocks
    }

    fn put_together(&mut self) {
        if !self.small.is_empty() {
            let block = std::mem::take(&mut self.small);
            self.blocks.push(block.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_in_their_order_and_small_chunks_are_put_together() {
        let lengths = [1, SMALL + 1, 7, 7, SMALL, BLOCK, 1];
        let chunks = lengths.iter().enumerate();
        let chunks: Vec<Bytes> = chunks
            .map(|(at, length)| Bytes::from(vec![at as u8; *length]))
            .collect();
        let mut blocks = Blocks::default();
        chunks.iter().for_each(|chunk| blocks.push(chunk.clone()));
        let blocks = blocks.into_vec();
        assert_eq!(blocks.concat(), chunks.concat());
        assert_eq!(blocks.len(), 5);
        let mut tiny = Blocks::default();
        (0..2 * BLOCK).for_each(|_| tiny.push(Bytes::from_static(b"x")));
        assert_eq!(tiny.into_vec().len(), 2);
    }
}
