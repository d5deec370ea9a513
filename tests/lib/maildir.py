"""Reading the mails of a running copy."""

import email
import email.policy
import re

from running.process import wait_for

WAIT_S = 30


def read(path):
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def mails_to(stack, address, subject=""):
    """The messages to an address whose subject holds the words."""
    found = []
    for path in stack.mails():
        message = read(path)
        people = [person.addr_spec for person in message["To"].addresses]
        if address in people and subject in str(message["Subject"]):
            found.append(message)
    return found


def wait_mail(stack, address, subject, count=1):
    """The newest of `count` such messages, once they are there."""
    def there():
        found = mails_to(stack, address, subject)
        return found if len(found) >= count else None

    found = wait_for(there, WAIT_S, f"a mail to {address} about {subject}")
    return max(found, key=lambda message: message["Date"].datetime)


def text_of(message):
    return message.get_body(("plain",)).get_content()


def link_of(message):
    """The secret behind the # of the one link in it."""
    return re.search(r"https?://\S+/link#(\S+)", text_of(message)).group(1)
