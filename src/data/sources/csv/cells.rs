//! Owns the cells of one line of a CSV file: separators, quotes and numbers. Depends on nothing. Must
//! not know the meaning of a column.

use std::borrow::Cow;

/// The cells of one line, from left to right. An empty line has one empty cell.
///
/// A cell may stand in double quotes, in which two of them mean one (RFC 4180). Spaces around a cell
/// do not belong to it. A quoted cell with a line break is not supported.
#[derive(Debug, Clone)]
pub(super) struct Cells<'a> {
    /// The bytes after the last separator. `None` after the last cell.
    rest: Option<&'a [u8]>,
    separator: u8,
}

/// A cell whose quotes are wrong: the closing one is missing, or text follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongQuotes;

impl<'a> Cells<'a> {
    /// Begins with the first cell of `line`, which holds no line feed.
    pub(super) fn new(line: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(line), separator }
    }

    /// Returns the next cell if it is a whole number from 0 to 255 of at most three digits with a
    /// separator right behind it. Otherwise the cell stays the next one. This is the fast path:
    /// nearly all cells of nearly all files are such numbers.
    #[inline]
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        let separator = self.separator;
        let (value, rest) = match *self.rest? {
            [a, end, ref rest @ ..] if end == separator => (digit(a)?, rest),
            [a, b, end, ref rest @ ..] if end == separator => (10 * digit(a)? + digit(b)?, rest),
            [a, b, c, end, ref rest @ ..] if end == separator => {
                (100 * digit(a)? + 10 * digit(b)? + digit(c)?, rest)
            }
            _ => return None,
        };
        let value = u8::try_from(value).ok()?;
        self.rest = Some(rest);
        Some(value)
    }

    /// Passes each of the next cells that [`Cells::next_byte`] takes to `push`, at most `count`, and
    /// returns their number.
    #[inline]
    pub(super) fn next_bytes(&mut self, count: usize, mut push: impl FnMut(u8)) -> usize {
        // Most pixels of most images are 0: four such cells are compared at once.
        let zeros = [b'0', self.separator, b'0', self.separator, b'0', self.separator, b'0', self.separator];
        let mut done = 0;
        while done < count {
            if count - done >= 4
                && let Some((next, rest)) = self.rest.and_then(|rest| rest.split_first_chunk())
                && *next == zeros
            {
                (0..4).for_each(|_| push(0));
                self.rest = Some(rest);
                done += 4;
            } else if let Some(byte) = self.next_byte() {
                push(byte);
                done += 1;
            } else {
                break;
            }
        }
        done
    }

    /// Takes the next cells as long as they are `0.0`, at most `count`, and returns their number.
    #[inline]
    pub(super) fn next_float_zeros(&mut self, count: usize) -> usize {
        let zero = [b'0', b'.', b'0', self.separator];
        let mut done = 0;
        while done < count
            && let Some((next, rest)) = self.rest.and_then(|rest| rest.split_first_chunk())
            && *next == zero
        {
            self.rest = Some(rest);
            done += 1;
        }
        done
    }

    /// Splits the next cell off a line whose rest begins with a quote.
    fn next_quoted(&mut self, quoted: &'a [u8]) -> Result<Cow<'a, [u8]>, WrongQuotes> {
        let mut text = Vec::new();
        let mut rest = quoted;
        loop {
            let end = rest.iter().position(|&byte| byte == b'"').ok_or(WrongQuotes)?;
            let (before, after) = rest.split_at(end);
            text.extend_from_slice(before);
            match after {
                [_, b'"', after @ ..] => {
                    text.push(b'"');
                    rest = after;
                }
                [_, after @ ..] => {
                    let (spaces, after) = split_at_separator(after, self.separator);
                    self.rest = after;
                    return if spaces.trim_ascii().is_empty() {
                        Ok(Cow::Owned(text))
                    } else {
                        Err(WrongQuotes)
                    };
                }
                [] => return Err(WrongQuotes),
            }
        }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<Cow<'a, [u8]>, WrongQuotes>;

    /// Returns the next cell, without quotes and without spaces around it.
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if rest.first().is_some_and(|byte| matches!(byte, b'"' | b' '))
            && let Some(quoted) = rest.trim_ascii_start().strip_prefix(b"\"")
        {
            return Some(self.next_quoted(quoted));
        }
        let (cell, rest) = split_at_separator(rest, self.separator);
        self.rest = rest;
        Some(Ok(Cow::Borrowed(cell.trim_ascii())))
    }
}

/// Value of a digit.
#[inline]
fn digit(byte: u8) -> Option<u32> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value.into())
}

/// The bytes before the first separator, and those after it if there is one.
fn split_at_separator(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == separator) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// The number that a cell states, such as `7`, `0.5`, `1e-3` or `-1`. It is not finite for `nan`,
/// `inf` and for numbers that 32-bit floats do not hold.
pub(super) fn number(cell: &[u8]) -> Option<f32> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

/// The pixel value that a number is if it is a whole number from 0 to 255.
pub(super) fn as_byte(number: f32) -> Option<u8> {
    // `as` gives the nearest byte, which is the number only if it is one.
    let byte = number as u8;
    (f32::from(byte) == number).then_some(byte)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
