//! As much of protocol buffers as it takes to write: fields of varints, bytes and messages within messages.

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// A field of a whole number.
    pub(super) fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, 0);
        self.varint(value as u64);
        self
    }

    /// A field of text or bytes.
    pub(super) fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// A field that is a message.
    pub(super) fn message(self, field: u32, value: Message) -> Self {
        self.bytes(field, value.0)
    }

    /// A field of many whole numbers, packed.
    pub(super) fn ints(self, field: u32, values: impl IntoIterator<Item = i64>) -> Self {
        let mut packed = Message::default();
        values.into_iter().for_each(|v| packed.varint(v as u64));
        self.bytes(field, packed.0)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_in_the_encoding_guide() {
        // The examples of "Protocol Buffers, Encoding": 150 in field 1, "testing" in field 2, packed 3, 270, 86942 in 6.
        assert_eq!(
            Message::default().int(1, 150).into_bytes(),
            [0x08, 0x96, 0x01]
        );
        let text = Message::default().bytes(2, "testing").into_bytes();
        assert_eq!(text, *b"\x12\x07testing");
        let packed = Message::default().ints(6, [3, 270, 86942]).into_bytes();
        assert_eq!(packed, [0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]);
        let inner = Message::default().message(3, Message::default().int(1, 150));
        assert_eq!(inner.into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().int(1, -1).into_bytes().len(), 11);
    }
}
