//! Bytes that follow from their offset alone, so that any slice of a body can be checked without keeping it.

const WORD: u64 = 8;

/// Fills `slice` with the pattern's bytes from `offset` on.
pub fn fill(offset: u64, slice: &mut [u8]) {
    let mut at = offset;
    let mut rest = slice;
    while !rest.is_empty() {
        let word = word(at / WORD).to_le_bytes();
        let tail = &word[usize::try_from(at % WORD).unwrap_or(0)..];
        let length = tail.len().min(rest.len());
        let (now, later) = rest.split_at_mut(length);
        now.copy_from_slice(&tail[..length]);
        at += length as u64;
        rest = later;
    }
}

/// `SplitMix64` as a function of its counter: <https://prng.di.unimi.it/splitmix64.c>
fn word(index: u64) -> u64 {
    let mut mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Compares a stream with the pattern, keeping only how far it came and where it first differed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub size_bytes: u64,
    pub first_difference: Option<u64>,
}

impl Comparison {
    pub fn feed(&mut self, slice: &[u8]) {
        let mut wanted = [0; 4096];
        for piece in slice.chunks(wanted.len()) {
            let wanted = &mut wanted[..piece.len()];
            fill(self.size_bytes, wanted);
            if self.first_difference.is_none() && wanted != piece {
                let differs = wanted
                    .iter()
                    .zip(piece)
                    .position(|(one, other)| one != other);
                self.first_difference = differs.map(|position| self.size_bytes + position as u64);
            }
            self.size_bytes += piece.len() as u64;
        }
    }

    pub fn is_whole(&self, size_bytes: u64) -> bool {
        self.size_bytes == size_bytes && self.first_difference.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_are_those_of_splitmix64_seeded_with_zero() {
        let mut bytes = [0; 16];
        fill(0, &mut bytes);
        assert_eq!(bytes[..8], 0xe220_a839_7b1d_cdaf_u64.to_le_bytes());
        assert_eq!(bytes[8..], 0x6e78_9e6a_a1b9_65f4_u64.to_le_bytes());
    }

    #[test]
    fn any_slice_equals_the_same_slice_of_the_whole() {
        let mut whole = [0; 200];
        fill(0, &mut whole);
        for from in 0..40 {
            for until in from..80 {
                let mut slice = vec![0; until - from];
                fill(from as u64, &mut slice);
                assert_eq!(slice, whole[from..until], "{from}..{until}");
            }
        }
    }

    #[test]
    fn a_stream_is_compared_however_it_is_cut() {
        let mut whole = vec![0; 10_000];
        fill(0, &mut whole);
        for cut in [1, 7, 4096, 4097, 10_000] {
            let mut comparison = Comparison::default();
            whole.chunks(cut).for_each(|piece| comparison.feed(piece));
            assert!(comparison.is_whole(10_000), "{cut}");
            assert!(!comparison.is_whole(10_001), "{cut}");
        }
    }

    #[test]
    fn the_first_difference_is_named_by_its_offset() {
        let mut whole = vec![0; 10_000];
        fill(0, &mut whole);
        whole[5_000] ^= 1;
        whole[9_000] ^= 1;
        let mut comparison = Comparison::default();
        whole.chunks(333).for_each(|piece| comparison.feed(piece));
        assert_eq!(comparison.first_difference, Some(5_000));
        assert!(!comparison.is_whole(10_000));
    }
}
