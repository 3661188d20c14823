"""What the demo's English-speaking customers wrote. Invented; see `phrasebook` for the parts."""

from app.demo.phrasebook import Phrasebook

ENGLISH = Phrasebook(
    joiner=" ",
    full_stop=".",
    longest_repeat=20,
    remarks={
        "promoter": {
            "onboarding": (
                "Getting started took one afternoon, including importing our old customer list.",
                "The setup checklist was clear and we sent our first invoice the same day.",
                "New colleagues need almost no training.",
                "The guided setup asked exactly the right questions about our company.",
                "Moving over from spreadsheets was far easier than I had feared.",
                "The onboarding webinar answered everything we wanted to know.",
            ),
            "support": (
                "Support answers within the hour and actually solves the problem.",
                "I have never had to wait for an answer from support.",
                "The people in the chat know accounting, which is rare.",
                "Every time we got stuck, support stayed with us until it worked.",
                "Support replied on the last day of the month, when we needed it most.",
                "The help centre articles are good enough that I seldom contact support.",
            ),
            "price": (
                "Good value for the price.",
                "It costs less than the hours it saves us each month.",
                "The price per user is fair and there are no hidden fees.",
                "No complaints about the price, we get a lot for it.",
                "Cheaper than what we had before, and better.",
            ),
            "mobile": (
                "Photographing receipts with the phone works every single time.",
                "I approve expenses on my phone on the train, which saves me an hour a week.",
                "The mobile app is quick and never loses a receipt.",
                "Receipt scanning in the app reads even crumpled paper.",
                "Our sales team finally hands in expenses on time thanks to the mobile app.",
            ),
            "reports": (
                "The monthly reports are exactly what our board wants to see.",
                "Exporting to CSV just works, with the right columns and the right encoding.",
                "I can see overdue payments in one report without asking anyone.",
                "The cash flow report alone is worth it.",
                "Month-end closing went from four days to one because of the reports.",
            ),
            "performance": (
                "It is fast, even with several years of data.",
                "Pages load instantly and we have not seen an outage yet.",
                "Never slow, not even at the end of the month.",
                "Searching through thousands of invoices takes a second, very fast.",
                "Reliable and quick, I cannot remember any downtime.",
            ),
            "integrations": (
                "The bank connection matches most payments without our help.",
                "Connecting it to our accounting system took ten minutes.",
                "The API is well documented and our developers like it.",
                "The Slack integration for approvals is a small thing that we use every day.",
                "It syncs with our CRM, so nobody types customer data twice any more.",
            ),
            "invoices": (
                "Recurring invoices run by themselves and we no longer forget any.",
                "Qualified invoices under the Japanese system simply came out right.",
                "Sending an invoice takes two clicks.",
                "Tax rates and registration numbers on invoices are handled for us.",
                "Invoices in two languages were the reason we chose it and they look great.",
                "Reminders for unpaid invoices have cut our late payments in half.",
            ),
            "permissions": (
                "Roles and approval steps match how our company really works.",
                "I like that each department sees only its own expenses, access is easy to set.",
                "The approval flow is simple to set up and auditors understand it.",
                "Giving our tax adviser read-only access took one minute.",
                "Setting permissions is not complicated at all.",
            ),
            "wording": (
                "The screens are clean and the wording is plain, no accounting jargon.",
                "The interface is easy to understand even for people who dislike accounting.",
                "Everything is where I expect it to be on the screen.",
                "Error messages tell you what to do next, which I appreciate.",
                "The layout is calm and I never get lost in the menus.",
            ),
        },
        "passive": {
            "onboarding": (
                "Setup was fine, although importing our customer list took two attempts.",
                "Getting started was easy, but the advanced settings are hard to find.",
                "The setup guide covers the basics and stops there.",
                "Training new staff takes a little longer than we had hoped.",
            ),
            "support": (
                "Support is friendly, but it can take a day to get an answer.",
                "Answers from support are correct, if somewhat slow.",
                "Support outside Japanese office hours would help us.",
                "The chat is good, the phone support less so.",
            ),
            "price": (
                "The price is okay for what it does, not a bargain.",
                "It is neither cheap nor expensive.",
                "The step in price between the plans is rather big.",
                "Worth it for now, but another price increase would make us think.",
            ),
            "mobile": (
                "The mobile app is fine for receipts, but for approvals I still open my laptop.",
                "The app does the job, though it logs me out too often.",
                "I would like to see the app on tablets too.",
                "Receipt scanning in the app is right about nine times out of ten.",
            ),
            "reports": (
                "Reports are decent, I only wish I could choose the columns.",
                "The standard reports are enough for us, but not for our head office.",
                "CSV export is fine, a direct Excel export would be better.",
                "It would be nice to schedule a report by e-mail.",
            ),
            "performance": (
                "Usually quick, a bit slow around the 25th of the month.",
                "Speed is acceptable.",
                "The list of invoices loads a little slowly, the rest is fast.",
                "We had one short outage, and it was communicated well.",
            ),
            "integrations": (
                "The bank connection works, but it has to be renewed every few months.",
                "It connects with most of our tools, only payroll is missing.",
                "The API is good enough, webhooks would make it better.",
                "Syncing with the accounting system works once you know the tricks.",
            ),
            "invoices": (
                "Invoices look good, but the template cannot be changed much.",
                "Fine for simple invoices, less so for partial payments.",
                "Recurring invoices work, credit notes are still clumsy.",
                "Qualified invoices are covered, which is the minimum we expect.",
            ),
            "permissions": (
                "Permissions are okay for a team like ours.",
                "The approval flow works, but a stand-in for holidays is missing.",
                "Roles cover most of what we need, not everything.",
                "I would like to copy permissions from one user to another.",
            ),
            "wording": (
                "The interface is all right once you get used to it.",
                "Some English wording still reads like a translation.",
                "A few menus are in odd places, but nothing serious.",
                "The screens are clear, a dark mode would be welcome.",
            ),
        },
        "detractor": {
            "onboarding": (
                "Getting started took us weeks, not the one day that was promised.",
                "The import of our old data failed three times during setup.",
                "Nobody explained the initial settings and we had to redo them later.",
                "The onboarding videos do not match the current screens.",
                "New staff find it hard to learn and keep asking the same questions.",
            ),
            "support": (
                "Support took four days to answer a simple question.",
                "I was sent the same help article twice, and it did not help.",
                "Support is not available when we close the month.",
                "Each support reply came from someone new and I had to explain it all again.",
                "It is not easy to reach a human in support.",
            ),
            "price": (
                "Too expensive for what we use.",
                "The price went up and we got nothing for it.",
                "We pay for each user, even for those who submit one receipt a year.",
                "Features that should be standard cost extra.",
                "For a company of our size the price is not reasonable.",
            ),
            "mobile": (
                "The mobile app crashes when I scan more than a few receipts.",
                "The app forgets my draft expenses.",
                "The app reads dates on receipts wrongly and I have to correct it by hand.",
                "I cannot approve anything on my phone without zooming in.",
                "The Android app is clearly behind the iPhone one.",
            ),
            "reports": (
                "The reports are too rigid and I end up rebuilding them in Excel.",
                "Exported files break as soon as there is a comma in a name.",
                "I cannot get a report by department without help.",
                "The numbers in the report and in the list do not match until the next day.",
                "There is no export of everything, only page by page.",
            ),
            "performance": (
                "It is slow, and at the end of the month it is very slow.",
                "The invoice list is slow to open, ten seconds or more.",
                "Time-outs while saving have cost us work more than once.",
                "There were too many outages this year.",
                "Search is so slow that I keep my own list.",
            ),
            "integrations": (
                "The bank connection drops every few weeks and nobody tells us.",
                "The integration with our accounting system creates duplicate entries.",
                "There is no integration with our payroll, so we type everything twice.",
                "The API limits are too low for our volume.",
                "The sync with our CRM does not work for customers with two addresses.",
            ),
            "invoices": (
                "Changing an invoice after sending it is far too complicated.",
                "Partial payments on invoices are not supported properly.",
                "The invoice layout cannot be adapted and looks dated.",
                "Rounding of tax on invoices differs from our ledger by one yen.",
                "Recurring invoices went out twice and we had to apologise to customers.",
            ),
            "permissions": (
                "Permissions are confusing, and I never know who can see what.",
                "Only one administrator can change roles, which is not practical.",
                "The approval flow cannot handle two departments.",
                "Access for our auditors had to be set up by hand, one by one.",
            ),
            "wording": (
                "The wording on the screens is unclear and half of the buttons sound alike.",
                "Too many clicks and menus for a simple expense.",
                "The screen layout keeps changing and I cannot find things.",
                "The English interface is incomplete, some messages appear in Japanese only.",
                "Error messages say that something went wrong, but not what.",
            ),
        },
    },
    whole={
        "promoter": (
            "Easy to use.",
            "It just works.",
            "Great product, keep going!",
            "Love it",
            "Very handy",
            "No problems at all.",
            "Saves time.",
            "Simple, quick, reliable. I do not need more.",
            "I already recommended Fudezumi to two other companies.",
            "best tool we introduced this year",
            "Nothing to complain about.",
            "Not perfect, but nothing else comes close if you work in Japanese and English.",
            (
                "Before, our invoices lived in four spreadsheets and one person's head. Now anyone "
                "can see what was sent, what was paid and what is late. Month-end is no longer "
                "something we dread, and our tax adviser stopped asking for things by fax. I did "
                "not expect a tool for invoices to change the mood in an office, but it did."
            ),
            (
                "I was sceptical at first. The old process was slow, but we knew it. After the "
                "first closing with Fudezumi nobody wanted to go back."
            ),
            "You listen. The small thing I once asked for is in the product now.",
            "No paper, no stamps, no chasing people for receipts.",
        ),
        "passive": (
            "It's fine.",
            "Does what it should.",
            "OK",
            "average",
            "Nothing special.",
            "Good, not great.",
            "No strong opinion, I only submit my expenses here.",
            "Not bad",
            "Still getting to know it.",
            "I rarely recommend software to anyone, but I have no real complaint.",
            (
                "Solid product. The pieces I use weekly are good, the pieces I use once a year I "
                "have to learn again each time."
            ),
            "We have used it without trouble, but I have not compared it with others.",
            "Works for me. I am not sure that it would suit a larger company.",
            "Useful, but I would not call it a pleasure.",
        ),
        "detractor": (
            "Not for us.",
            "Too complicated.",
            "I have to use it, I did not choose it.",
            "Disappointed",
            "Hard to use",
            "too many clicks",
            "Feels unfinished.",
            "We are looking at alternatives.",
            "It is not bad as such, but it does not fit the way our company works.",
            "Nothing got easier. We do the same work as before, only in a browser now.",
            "I have reported the same bug twice. It is still there.",
            (
                "It was good when we started. Since then features have been added on top of "
                "features, and the simple tasks have become harder. Entering one taxi fare now "
                "means three screens and a category that nobody here understands. Please stop "
                "adding and tidy up."
            ),
            (
                "My honest impression: built for the person who buys it, not for the people who "
                "use it every day."
            ),
            "why so many e-mails from the system?",
        ),
    },
    closings={
        "promoter": (
            "Thank you, and keep it up.",
            "I would not want to work without it.",
            "My whole team is happy with it.",
            "Please keep it this simple.",
            "We will certainly stay.",
        ),
        "passive": (
            "With that improved I would give a higher score.",
            "Otherwise I am satisfied.",
            "I am looking forward to the next version.",
            "It is not a big problem, though.",
        ),
        "detractor": (
            "Please improve this.",
            "I cannot recommend it as it is.",
            "I hope that someone reads this.",
            "We expected more.",
            "If this does not change, we may not renew.",
        ),
    },
    contexts={
        "admin": (
            "I look after the system for the whole company.",
            "I set it up and answer my colleagues' questions about it.",
            "I am the person who manages the accounts here.",
        ),
        "accountant": (
            "I use it all day in accounting.",
            "I close the books every month.",
            "We send a few hundred invoices a month.",
        ),
        "manager": (
            "I mainly approve my team's expenses.",
            "I look at it a few times a week.",
            "I run a small department.",
        ),
        "member": (
            "I only hand in my travel expenses.",
            "I use it once or twice a month.",
            "I work in sales and am on the road a lot.",
        ),
    },
    turns=(
        "One complaint, though.",
        "It is not all good, though.",
        "There is one thing that bothers me.",
        "What keeps me from a higher score is this.",
    ),
    redesign={
        "promoter": (
            "Still good overall, even if the new permissions screen needs work.",
            "We like the product, but please look at the redesigned reports again.",
        ),
        "passive": (
            "Fine until the redesign, now I look for my reports every time.",
            "The new reports look nicer, but half of our saved reports are gone.",
            "I am waiting for the permissions to work as they did before.",
            "We manage, but the new permissions cost our administrators a lot of time.",
            "The idea of the new permissions is good, the execution is not there yet.",
        ),
        "detractor": (
            "Since the redesign our department heads can no longer open their own reports.",
            "The new permissions screen is a step backwards.",
            "All our saved reports disappeared with the update.",
            "After the update we had to set the permissions of every single user again.",
            "I lost access to the reports I need for month-end, and nobody warned us.",
            "The redesigned reports cannot be filtered by subsidiary any more.",
            "Please bring the old permissions back.",
            "The new roles do not allow what the old ones did, so everyone is an admin now.",
            "The report export was moved, renamed and reduced.",
            "With the new permissions we can no longer give our auditors read-only access.",
            "I used to recommend Fudezumi, but the new reports do not suit a group of firms.",
            "The redesign of permissions and reports was clearly not tested with larger customers.",
        ),
    },
    aftermath=(
        "We were not told in advance.",
        "Support could only say that it is being looked at.",
        "It puts our month-end at risk.",
        "For a contract of our size that is not acceptable.",
        "We have gone back to spreadsheets for this.",
        "Our renewal is coming up and this will be discussed.",
    ),
    repair={
        "promoter": (
            "The fix for the permissions was what we needed, thank you for listening.",
            "Saved reports are back and better than before.",
            "After the last update the reports are finally right again.",
            "We had a hard time with the permissions, but you fixed it and kept us informed.",
            "Copying roles between subsidiaries, as it works now, saves our administrators days.",
            "The new reports, with filters by subsidiary restored, are really good.",
            "You admitted the mistake with the permissions and put it right. That earns trust.",
        ),
        "passive": (
            "The permissions work again, but it took too long.",
            "Reports are back to normal. I hope that the next change is announced earlier.",
            "Better since the update, a few reports still lack columns.",
            "The report problem is solved, trust will take a little longer.",
        ),
        "detractor": (
            "The permissions have been fixed, but the months before cost us a lot.",
            "Some of our old reports still have not come back.",
            "Better than before the fix, but permissions are still harder than they used to be.",
        ),
    },
)
