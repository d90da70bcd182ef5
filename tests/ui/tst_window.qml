// The whole window over the stage: keys, focus, sending and stopping.
import QtQuick
import QtTest
import Paluku
import PalukuApp

WindowCase {
    name: "Window"

    Component {
        id: modelRow

        ModelRow {
            library: stage.app.library
            index: 0
            modelId: "one"
            name: "V2-Lite"
            details: "9.7 GB"
            path: "/models/one.gguf"
            starter: false
            usable: true
            problem: ""
            notes: []
        }
    }

    function test_composer_has_the_focus_at_the_start() {
        verify(inComposer());
        type("at once");
        compare(chat.draft, "at once");
    }
    function test_enter_sends_and_shift_enter_begins_a_line() {
        keyClick(Qt.Key_N, Qt.ControlModifier);
        type("one");
        keyClick(Qt.Key_Return, Qt.ShiftModifier);
        type("two");
        compare(chat.draft, "one\ntwo");
        keyClick(Qt.Key_Return);
        verify(stage.answering());
        stage.settle();
        compare(chat.draft, "");
        verify(inComposer());
    }
    function test_too_long_a_message_is_refused_and_nothing_is_lost() {
        const most = "word ".repeat(13107) + ".";
        chat.draft = most;
        const edit = window.activeFocusItem;
        edit.cursorPosition = 7;
        keyClick("y");
        compare(chat.draft.length, most.length);
        compare(edit.text.length, most.length);
        compare(edit.cursorPosition, 7);
        verify(chat.statusText.includes("64 kB"));
        keyClick(Qt.Key_Backspace);
        keyClick("z");
        compare(edit.text.indexOf("z"), 6);
        compare(chat.draft.length, most.length);
    }
    function test_dragged_sidebar_keeps_its_width() {
        const before = window.sidebarWidth;
        const edge = before - 2;
        mouseDrag(window.contentItem, edge, 400, 40, 0);
        compare(window.sidebarWidth, edge + 40);
        compare(stage.app.settings.sidebarWidth, edge + 40);
        stage.app.settings.sidebarWidth = 0;
    }
    function test_enter_can_be_turned_off() {
        stage.app.settings.enterSends = false;
        keyClick(Qt.Key_N, Qt.ControlModifier);
        type("one");
        keyClick(Qt.Key_Return);
        verify(!stage.answering());
        keyClick(Qt.Key_Return, Qt.ControlModifier);
        verify(stage.answering());
        stage.app.settings.enterSends = true;
    }
    function test_enter_while_answering_sends_nothing_and_says_so() {
        chat.draft = "first";
        keyClick(Qt.Key_Return);
        stage.settle();
        type("more");
        keyClick(Qt.Key_Return);
        compare(chat.draft, "more");
        verify(chat.statusText.length > 0);
    }
    function test_stop_stands_where_send_stood() {
        const send = named(window.contentItem, "Send");
        const place = send.mapToItem(window.contentItem, 0, 0);
        chat.draft = "first";
        mouseClick(send);
        stage.settle();
        const stop = named(window.contentItem, "Stop");
        verify(stop);
        compare(stop.mapToItem(window.contentItem, 0, 0), place);
        mouseClick(stop);
        verify(!stage.answering());
    }
    function test_escape_closes_the_topmost_then_stops() {
        chat.draft = "first";
        keyClick(Qt.Key_Return);
        stage.settle();
        keyClick(Qt.Key_M, Qt.ControlModifier);
        tryVerify(() => !inComposer());
        keyClick(Qt.Key_Escape);
        tryVerify(() => inComposer());
        verify(stage.answering());
        keyClick(Qt.Key_Escape);
        verify(!stage.answering());
    }
    function test_message_waits_for_the_model() {
        stage.beginLoading(0.42);
        chat.draft = "soon";
        keyClick(Qt.Key_Return);
        verify(chat.waitingToSend);
        compare(chat.draft, "soon");
        stage.loadModel();
        verify(stage.answering());
    }
    function test_pages_by_keys_and_back() {
        keyClick(Qt.Key_Comma, Qt.ControlModifier);
        compare(window.page, Main.Settings);
        keyClick(Qt.Key_Escape);
        compare(window.page, Main.Chat);
        verify(inComposer());
        keyClick(Qt.Key_M, Qt.ControlModifier | Qt.ShiftModifier);
        compare(window.page, Main.Models);
        keyClick(Qt.Key_L, Qt.ControlModifier);
        verify(inComposer());
    }
    function test_settings_and_the_models_say_what_the_processor_computes() {
        stage.loadModelInPart();
        verify(chat.homeText.includes("the experts of 6 layer"));
        keyClick(Qt.Key_Comma, Qt.ControlModifier);
        click("Models", named(window.contentItem, "Settings", item => item.Accessible.role === Accessible.List));
        tryVerify(() => named(window.contentItem, chat.homeText));
        const row = createTemporaryObject(modelRow, window.contentItem, { inUse: true, homeText: chat.homeText });
        const text = "Computed by: " + chat.homeText;
        verify(named(row, text));
        row.inUse = false;
        verify(!named(row, text), "another model is computed nowhere now");
    }
    function test_every_section_of_the_settings_opens() {
        for (const [width, back] of [[1280, false], [420, true]]) {
            window.width = width;
            keyClick(Qt.Key_Comma, Qt.ControlModifier);
            for (const name of ["General", "Appearance", "Answers", "Models", "Keyboard shortcuts", "About"]) {
                click(name, named(window.contentItem, "Settings", item => item.Accessible.role === Accessible.List));
                waitForRendering(window.contentItem);
                if (back)
                    click("Back");
            }
            keyClick(Qt.Key_Escape);
        }
    }
    function test_tab_goes_round_and_every_stop_has_a_name() {
        const stops = [];
        for (let i = 0; i < 30; ++i) {
            keyClick(Qt.Key_Tab);
            const item = window.activeFocusItem;
            const label = item.Accessible.name || item.text || "";
            verify(label.length > 0, "a stop without a name after " + stops[stops.length - 1] + ": " + item);
            if (inComposer())
                break;
            stops.push(label);
        }
        verify(inComposer(), stops.join(" | "));
        const order = ["Send", "Hide the sidebar", "New conversation", "Models", "Settings", "V2-Lite"];
        const places = order.map(name => stops.indexOf(name));
        verify(places.every(place => place >= 0), stops.join(" | "));
        for (let i = 2; i < places.length; ++i)
            verify(places[i] > places[i - 1], stops.join(" | "));
    }
    function test_f6_goes_by_panes() {
        keyClick(Qt.Key_F6);
        compare(window.activeFocusItem.Accessible.name, poem);
        keyClick(Qt.Key_F6);
        verify(!inComposer());
        keyClick(Qt.Key_F6);
        verify(inComposer());
    }
    function test_window_comes_back_in_its_size() {
        window.width = 1000;
        window.height = 700;
        window.close();
        compare(stage.app.settings.windowSize(), Qt.size(1000, 700));
        const again = newWindow({});
        compare(again.width, 1000);
        compare(again.height, 700);
        stage.app.settings.setWindowSize(Qt.size(0, 0));
    }
    function test_f9_hides_the_sidebar() {
        verify(named(window.contentItem, "New conversation"));
        keyClick(Qt.Key_F9);
        tryVerify(() => !named(window.contentItem, "New conversation"));
        keyClick(Qt.Key_F9);
        tryVerify(() => named(window.contentItem, "New conversation"));
    }
    function test_rename_in_place() {
        open(router);
        const list = named(window.contentItem, "Conversations");
        list.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_F2);
        tryVerify(() => window.activeFocusItem.Accessible.name === "New name");
        type("Renamed");
        keyClick(Qt.Key_Return);
        stage.settle();
        compare(chat.title, "Renamed");
        keyClick(Qt.Key_F2);
        type("Not this");
        keyClick(Qt.Key_Escape);
        stage.settle();
        compare(chat.title, "Renamed");
        stage.app.conversations.rename(stage.app.conversations.currentId, router);
        stage.settle();
    }
    function test_a_click_elsewhere_keeps_the_new_name_and_the_focus() {
        open(router);
        named(window.contentItem, "Conversations").forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_F2);
        tryVerify(() => window.activeFocusItem.Accessible.name === "New name");
        type("Renamed");
        mouseClick(named(window.contentItem, chat.placeholder));
        stage.settle();
        compare(chat.title, "Renamed");
        verify(inComposer());
        stage.app.conversations.rename(stage.app.conversations.currentId, router);
        stage.settle();
    }
    function test_delete_and_undo() {
        open(router);
        const count = stage.app.conversations.count;
        named(window.contentItem, "Conversations").forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Delete);
        stage.settle();
        compare(stage.app.conversations.count, count - 1);
        verify(stage.app.notices.toastHasUndo);
        keyClick(Qt.Key_Z, Qt.ControlModifier);
        stage.settle();
        compare(stage.app.conversations.count, count);
    }
    function test_three_widths() {
        window.width = 420;
        wait(50);
        verify(!named(window.contentItem, "New conversation"));
        verify(named(window.contentItem, "Show the sidebar"));
        verify(named(window.contentItem, "Send").mapToItem(window.contentItem, 0, 0).x < 420);
        window.width = 900;
        wait(50);
        verify(named(window.contentItem, "New conversation"));
    }
    function test_title_follows_the_open_conversation() {
        open(router);
        verify(named(window.contentItem, router));
        compare(chat.title, router);
        verify(window.title.startsWith(router));
        keyClick(Qt.Key_N, Qt.ControlModifier);
        verify(window.title.startsWith("New conversation"));
    }
    function test_language_switches_without_a_restart() {
        stage.app.settings.languageIndex = 2;
        tryVerify(() => chat.placeholder.includes("మాట్లాడండి"));
        stage.app.settings.languageIndex = 1;
        tryVerify(() => chat.placeholder.startsWith("Write"));
    }
}
