//! Markdown as the pages use it, as HTML. Markup in a text is left out, so that a page holds nothing but what is made here.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// The text as HTML. Headings get the anchors that links to them use; a link leads where `address_of` says, and is no
/// link if it says nothing.
pub(super) fn html(text: &str, address_of: &dyn Fn(&str) -> Option<String>) -> String {
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut shown = Vec::with_capacity(events.len());
    let mut is_link = true;
    let mut rest = events.into_iter();
    while let Some(event) = rest.next() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let anchor = Some(anchor(rest.as_slice()));
                shown.push(Event::Start(Tag::Heading { level, id: anchor, classes, attrs }));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let address = address_of(&dest_url);
                is_link = address.is_some();
                shown.extend(address.map(|address| {
                    let dest_url = CowStr::from(address);
                    Event::Start(Tag::Link { link_type, dest_url, title, id })
                }));
            }
            Event::End(TagEnd::Link) if !is_link => {}
            other => shown.push(other),
        }
    }
    let mut page = String::with_capacity(text.len() * 2);
    html::push_html(&mut page, shown.into_iter());
    page
}

/// What links to a heading name, given what follows its beginning: its words in small letters with hyphens between them.
fn anchor<'a>(after: &[Event<'a>]) -> CowStr<'a> {
    let words = after.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let mut anchor = String::new();
    for event in words {
        if let Event::Text(text) | Event::Code(text) = event {
            anchor.extend(text.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                _ => letter.is_alphanumeric().then(|| letter.to_ascii_lowercase()),
            }));
        }
    }
    CowStr::from(anchor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere_but_pages(link: &str) -> Option<String> {
        (link == "a.md").then(|| "/docs/a".to_owned())
    }

    #[test]
    fn headings_have_anchors_and_links_lead_to_pages() {
        let text = "## Who may, `now`?\n\n[a](a.md) and [b](../b.md)\n";
        let page = html(text, &nowhere_but_pages);
        let expected = "<h2 id=\"who-may-now\">Who may, <code>now</code>?</h2>\n<p><a href=\"/docs/a\">a</a> and b</p>\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn markup_in_a_text_is_left_out() {
        let text = "<!-- written by a test -->\n\na <b onclick=\"x()\">b</b> `<script>`\n\n<script>x()</script>\n";
        let page = html(text, &nowhere_but_pages);
        assert!(page.contains("<p>a b <code>&lt;script&gt;</code></p>"), "{page}");
        assert!(!page.contains("<script") && !page.contains("onclick"), "{page}");
    }
}
