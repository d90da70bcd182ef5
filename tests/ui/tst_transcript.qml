// The transcript in the whole window: turns, selection, the place it keeps, what an error offers.
import QtQuick
import QtTest
import Paluku
import PalukuApp

WindowCase {
    name: "Transcript"

    function test_turns_by_arrows_and_copy() {
        open(poem);
        keyClick(Qt.Key_Up, Qt.ControlModifier);
        const view = named(window.contentItem, "Conversation");
        verify(view.activeFocus);
        keyClick(Qt.Key_Home);
        keyClick(Qt.Key_C, Qt.ControlModifier);
        verify(stage.clipboard().startsWith("వేమన పద్యం ఒకటి చెప్పి"));
        keyClick(Qt.Key_A, Qt.ControlModifier);
        keyClick(Qt.Key_A, Qt.ControlModifier);
        keyClick(Qt.Key_C, Qt.ControlModifier);
        verify(stage.clipboard().includes("విశ్వదాభిరామ"));
        verify(stage.clipboard().includes("def scan"));
    }
    function test_a_click_draws_no_ring() {
        open(poem);
        const view = named(window.contentItem, "Conversation");
        mouseClick(view, 500, 60);
        verify(view.activeFocus);
        verify(!view.byKeys);
        keyClick(Qt.Key_Up);
        verify(view.byKeys);
    }
    function test_drag_selects_across_blocks() {
        open(poem);
        const view = named(window.contentItem, "Conversation");
        mousePress(view, 300, 130);
        for (let y = 130; y < 330; y += 20)
            mouseMove(view, 480, y, 0, Qt.LeftButton);
        mouseRelease(view, 480, 330);
        verify(chat.selection.hasSelection);
        keyClick(Qt.Key_C, Qt.ControlModifier);
        verify(stage.clipboard().includes("విశ్వదాభిరామ"), stage.clipboard());
        chat.selection.clear();
    }
    function test_no_pill_when_everything_is_seen() {
        open("Letters from the 1930s");
        keyClick(Qt.Key_Up, Qt.ControlModifier);
        verify(!named(window.contentItem, "Jump to latest"));
    }
    function test_follows_the_end_until_the_reader_leaves() {
        open(router);
        chat.draft = "more";
        keyClick(Qt.Key_Return);
        stage.settle();
        const view = named(window.contentItem, "Conversation");
        for (let i = 0; i < 60; ++i)
            stage.write("Line " + i + "\n\n");
        wait(100);
        verify(view.following);
        keyClick(Qt.Key_Up, Qt.ControlModifier);
        keyClick(Qt.Key_PageUp);
        verify(!view.following);
        const pill = named(window.contentItem, "Jump to latest");
        verify(pill);
        stage.write("one more\n\n");
        wait(50);
        verify(!view.following);
        keyClick(Qt.Key_J, Qt.ControlModifier);
        verify(view.following);
        tryVerify(() => !named(window.contentItem, "Jump to latest"));
    }
    function test_stopped_answer_is_continued() {
        keyClick(Qt.Key_N, Qt.ControlModifier);
        chat.draft = "Tell me.";
        keyClick(Qt.Key_Return);
        stage.settle();
        stage.write("Half of it");
        keyClick(Qt.Key_Escape);
        stage.settle();
        const view = named(window.contentItem, "Conversation");
        tryVerify(() => {
            const proceed = named(view, "Continue");
            return proceed && proceed.mapToItem(view, 0, proceed.height).y <= view.height;
        });
        click("Continue");
        verify(stage.answering());
        stage.write(", and all of it.");
        stage.finish();
        stage.settle();
        chat.copyLastAnswer();
        compare(stage.clipboard(), "Half of it, and all of it.");
    }
    function test_failed_answer_offers_another_try() {
        chat.draft = "fail";
        keyClick(Qt.Key_Return);
        stage.settle();
        stage.write("half");
        stage.fail();
        stage.settle();
        const view = named(window.contentItem, "Conversation");
        tryVerify(() => {
            const again = named(view, "Try again");
            return again && again.mapToItem(view, 0, again.height).y <= view.height;
        });
        click("Try again");
        verify(stage.answering());
    }
}
