//! Few bytes at a time, without a call: most texts and names are shorter than what setting out for many bytes costs.

use memchr::{memchr, memchr2};

/// So many bytes are looked at in one step.
pub(super) const BLOCK: usize = 16;

/// Where the first byte is that is one of the two.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
pub(super) fn first_of(block: &[u8; BLOCK], one: u8, other: u8) -> Option<usize> {
    use safe_arch::{cmp_eq_mask_i8_m128i, load_unaligned_m128i, move_mask_i8_m128i, set_splat_i8_m128i};

    let bytes = load_unaligned_m128i(block);
    let is = |byte: u8| cmp_eq_mask_i8_m128i(bytes, set_splat_i8_m128i(byte.cast_signed()));
    let hits = move_mask_i8_m128i(is(one) | is(other));
    if hits == 0 { None } else { Some(hits.trailing_zeros() as usize) }
}

/// Where the first byte is that is one of the two.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
pub(super) fn first_of(block: &[u8; BLOCK], one: u8, other: u8) -> Option<usize> {
    let both = u128::from_le_bytes(*block);
    #[allow(clippy::cast_possible_truncation, reason = "the low half")]
    let hits = either_in(both as u64, one, other);
    if hits != 0 {
        return Some((hits.trailing_zeros() / 8) as usize);
    }
    let hits = either_in((both >> 64) as u64, one, other);
    if hits != 0 { Some(8 + (hits.trailing_zeros() / 8) as usize) } else { None }
}

/// The high bit of each byte that is one of the two. Bytes above the first one found may be wrong.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
fn either_in(word: u64, one: u8, other: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let (one, other) = (word ^ (ONES * u64::from(one)), word ^ (ONES * u64::from(other)));
    (one.wrapping_sub(ONES) & !one | other.wrapping_sub(ONES) & !other) & HIGHS
}

/// Where the first byte is that may have to be written as something else: `&`, `"`, `<`, `>` or a control character (some of which are
/// not).
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
pub(super) fn first_special(block: &[u8; BLOCK]) -> Option<usize> {
    use safe_arch::{cmp_eq_mask_i8_m128i, load_unaligned_m128i, min_u8_m128i, move_mask_i8_m128i, set_splat_i8_m128i};

    let bytes = load_unaligned_m128i(block);
    let all = |byte: u8| set_splat_i8_m128i(byte.cast_signed());
    let controls = cmp_eq_mask_i8_m128i(min_u8_m128i(bytes, all(b' ' - 1)), bytes);
    let one = cmp_eq_mask_i8_m128i(bytes | all(4), all(b'&'));
    let other = cmp_eq_mask_i8_m128i(bytes | all(2), all(b'>'));
    let hits = move_mask_i8_m128i(controls | one | other);
    if hits == 0 { None } else { Some(hits.trailing_zeros() as usize) }
}

/// Where the first byte is that may have to be written as something else: `&`, `"`, `<`, `>` or a control character (some of which are
/// not).
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
pub(super) fn first_special(block: &[u8; BLOCK]) -> Option<usize> {
    let both = u128::from_le_bytes(*block);
    #[allow(clippy::cast_possible_truncation, reason = "the low half")]
    let hits = specials_in(both as u64);
    if hits != 0 {
        return Some((hits.trailing_zeros() / 8) as usize);
    }
    let hits = specials_in((both >> 64) as u64);
    if hits != 0 { Some(8 + (hits.trailing_zeros() / 8) as usize) } else { None }
}

/// The high bit of each byte that is special. Bytes above the first one found may be wrong.
#[inline(always)]
pub(super) fn specials_in(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    let one = (word | (ONES * 4)) ^ (ONES * b'&' as u64);
    let other = (word | (ONES * 2)) ^ (ONES * b'>' as u64);
    (controls | one.wrapping_sub(ONES) & !one | other.wrapping_sub(ONES) & !other) & HIGHS
}

/// Where the next `<` or `&` is.
#[inline(always)]
pub(super) fn find_markup(bytes: &[u8]) -> Option<usize> {
    match bytes.first_chunk::<BLOCK>().and_then(|block| first_of(block, b'<', b'&')) {
        Some(found) => Some(found),
        None => find_markup_far(bytes),
    }
}

/// Where the next `<` is.
#[inline(always)]
pub(super) fn find_tag(bytes: &[u8]) -> Option<usize> {
    match bytes.first_chunk::<BLOCK>().and_then(|block| first_of(block, b'<', b'<')) {
        Some(found) => Some(found),
        None => find_tag_far(bytes),
    }
}

#[inline(never)]
fn find_tag_far(bytes: &[u8]) -> Option<usize> {
    let mut at = BLOCK;
    while at < 4 * BLOCK
        && let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>())
    {
        if let Some(found) = first_of(block, b'<', b'<') {
            return Some(at + found);
        }
        at += BLOCK;
    }
    let at = if bytes.len() < BLOCK { 0 } else { at };
    memchr(b'<', bytes.get(at..)?).map(|found| at + found)
}

#[inline(never)]
fn find_markup_far(bytes: &[u8]) -> Option<usize> {
    // References end within the third block.
    let mut at = BLOCK;
    while at < 4 * BLOCK
        && let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>())
    {
        if let Some(found) = first_of(block, b'<', b'&') {
            return Some(at + found);
        }
        at += BLOCK;
    }
    // What has less than a block is looked at from the start.
    let at = if bytes.len() < BLOCK { 0 } else { at };
    memchr2(b'<', b'&', bytes.get(at..)?).map(|found| at + found)
}

/// Where the next `&` or carriage return is. References stand close to each other, so a few bytes are looked at on the way.
#[inline(always)]
pub(super) fn find_replaced(bytes: &[u8]) -> Option<usize> {
    let Some((block, rest)) = bytes.split_first_chunk::<BLOCK>() else {
        return bytes.iter().position(|byte| matches!(byte, b'&' | b'\r'));
    };
    match first_of(block, b'&', b'\r') {
        Some(found) => Some(found),
        None => memchr2(b'&', b'\r', rest).map(|found| BLOCK + found),
    }
}

/// What stands behind that literal, if it stands there.
#[inline(always)]
pub(super) fn behind<'b, const N: usize>(bytes: &'b [u8], literal: &[u8; N]) -> Option<&'b [u8]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    if first == literal { Some(rest) } else { None }
}

/// What stands behind that name, if it stands there. Nothing is behind an empty name: whether there may be one, the reader knows.
#[inline(always)]
pub(super) fn behind_name<'b>(bytes: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let (start, rest) = bytes.split_at_checked(name.len())?;
    let same = match name.len() {
        8..=16 => both_ends::<8>(start, name),
        17..=32 => both_ends::<16>(start, name),
        4..=7 => both_ends::<4>(start, name),
        0 => false,
        // Without a call, for whose sake registers would be saved at each name.
        _ => start.iter().eq(name),
    };
    if same { Some(rest) } else { None }
}

/// Whether the first bytes are the same and the last ones.
#[inline(always)]
fn both_ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk::<N>() && one.last_chunk::<N>() == other.last_chunk::<N>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn what_is_sought_is_found_wherever_it_stands() {
        for length in 0..100 {
            assert_eq!((find_markup(&vec![b';'; length]), find_replaced(&vec![b'\x8d'; length])), (None, None), "{length}");
            for at in 0..length {
                for (first, second) in [(b'<', b'&'), (b'&', b'<'), (b'<', b'\xbc'), (b'&', b'\xa6')] {
                    let mut bytes = vec![b'='; length];
                    bytes[at..].fill(second);
                    bytes[at] = first;
                    assert_eq!(find_markup(&bytes), Some(at), "{length}");
                    assert_eq!(
                        find_tag(&bytes),
                        if first == b'<' { Some(at) } else { bytes.iter().position(|byte| *byte == b'<') }
                    );
                }
                let mut bytes = vec![b'<'; length];
                bytes[at..].fill(b'\r');
                assert_eq!(find_replaced(&bytes), Some(at), "{length}");
                bytes[at] = b'&';
                assert_eq!(find_replaced(&bytes), Some(at), "{length}");
            }
        }
    }

    #[test]
    fn every_special_byte_is_found() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || matches!(byte, b'&' | b'"' | b'<' | b'>');
            for at in 0..BLOCK {
                let mut block = [b'='; BLOCK];
                block[at..].fill(byte);
                assert_eq!(first_special(&block), is_special.then_some(at), "{byte:#x}");
            }
        }
    }

    #[test]
    fn names_are_compared_whole() {
        assert_eq!(behind_name(b"<", b""), None);
        for length in 1..70 {
            let name = vec![b'n'; length];
            let mut bytes = name.clone();
            assert_eq!(behind_name(&bytes, &name), Some(&b""[..]), "{length}");
            bytes.push(b'<');
            assert_eq!(behind_name(&bytes, &name), Some(&b"<"[..]), "{length}");
            for at in 0..length {
                bytes[at] = b'm';
                assert_eq!(behind_name(&bytes, &name), None, "{length}, {at}");
                bytes[at] = b'n';
            }
            assert_eq!(behind_name(&bytes[..length - 1], &name), None, "{length}");
        }
    }
}
